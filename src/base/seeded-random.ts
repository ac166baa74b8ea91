/** A number in [0, 1) that the words alone decide: the same words, the same number (FNV-1a, then mixed as murmur3 ends). */
export function seededRandom(...words: readonly (string | number)[]): number {
  let hash = 0x81_1c_9d_c5;
  for (const word of words) {
    for (const char of `${word}\0`) {
      hash ^= char.codePointAt(0) ?? 0;
      hash = Math.imul(hash, 0x01_00_01_93);
    }
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85_eb_ca_6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2_b2_ae_35);
  hash ^= hash >>> 16;
  return (hash >>> 0) / 2 ** 32;
}
