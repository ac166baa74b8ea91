/** The start of every stored object's metadata: `kind` and `apiVersion` come first in the canonical encoding. */
const metadataStart = Buffer.from('"metadata":{');

/**
 * Bytes that are kept for long, and so must not keep what else was allocated at the time. They are not counted among what the
 * engine thinks its objects hold: beyond 64 MB of that, each further buffer would be charged with a part of a collection, which
 * with a hundred thousand objects are pauses of seconds.
 */
function keptBytes(size: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(size));
}

/**
 * The JSON of an object as clients see it, from its stored bytes, which hold no `resourceVersion`.
 * Throws when the bytes are not an encoded object.
 */
export function withResourceVersion(stored: Buffer, revision: number): Buffer {
  const at = stored.indexOf(metadataStart);
  if (at < 0) throw new Error('a stored value is not an encoded API object: it has no metadata');
  const split = at + metadataStart.length;
  const member = `"resourceVersion":"${revision}"${stored[split] === 0x7d ? '' : ','}`;
  const result = keptBytes(stored.length + member.length);
  stored.copy(result, 0, 0, split);
  result.write(member, split, 'latin1');
  stored.copy(result, split + member.length, split);
  return result;
}

/** The stored bytes that {@link withResourceVersion} made `json` of. */
export function withoutResourceVersion(json: Buffer): Buffer {
  const split = json.indexOf(metadataStart) + metadataStart.length;
  const end = json.indexOf(0x22, split + '"resourceVersion":"'.length) + 1;
  return Buffer.concat([json.subarray(0, split), json.subarray(json[end] === 0x2c ? end + 1 : end)]);
}

/** Replaces the version that {@link withResourceVersion} put into `json`. */
export function replaceResourceVersion(json: Buffer, revision: number): Buffer {
  return withResourceVersion(withoutResourceVersion(json), revision);
}
