/** A volume that cannot be set up (yet); the message is the kubelet's, without its `MountVolume.SetUp` prefix. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}
