import { shellQuote } from './launcher.ts';
import type { OciConfig, OciMount } from './oci-config.ts';

/** Finds what a path of the container means below the current folder: links of the image must not lead out of it. */
const inside = `inside() {
  rest=$1; target=.; hops=0
  while [ -n "$rest" ]; do
    rest=\${rest#/}; part=\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    case $part in ''|.) continue ;; ..) target=\${target%/*}; continue ;; esac
    if [ -L "$target/$part" ]; then
      hops=$((hops+1)); [ $hops -lt 40 ] || exit 126
      link=$(readlink "$target/$part")
      case $link in /*) target=. ;; esac
      rest=$link/$rest
    else
      target=$target/$part
    fi
  done
}
folder() { inside "$1"; mkdir -p "$target"; }
place() { inside "$2"; if [ -d "$1" ]; then mkdir -p "$target"; else mkdir -p "\${target%/*}"; [ -e "$target" ] || : > "$target"; fi; }`;

const devices = `for file in null zero full random urandom tty; do cp -a "/dev/$file" ./dev/; done
ln -s /proc/self/fd ./dev/fd; ln -s /proc/self/fd/0 ./dev/stdin; ln -s /proc/self/fd/1 ./dev/stdout; ln -s /proc/self/fd/2 ./dev/stderr
ln -s pts/ptmx ./dev/ptmx
if [ -t 0 ]; then : > ./dev/console; mount --bind "$(tty)" ./dev/console; fi`;

const versionOneCgroups = `for name in cpu cpuacct memory pids; do
  if [ -d "/sys/fs/cgroup/$name" ]; then mkdir "$target/$name"; mount -t cgroup -o "$name,nosuid,nodev,noexec,MODE" cgroup "$target/$name" || :; fi
done`;

/**
 * A part of a shell script that mounts everything into the container's root file system, makes it the root of its mount
 * namespace, and leaves it as the current folder; the programs of the machine stay reachable until the caller's chroot.
 */
export function rootfsScript(config: OciConfig): string {
  return [
    inside,
    `cd ${shellQuote(config.root.path)}`,
    ...config.mounts.map(mountLines),
    ...config.linux.devices.map(
      (device) =>
        `inside ${shellQuote(device.path)}; [ -e "$target" ] || { mkdir -p "\${target%/*}"; mknod -m ${device.fileMode.toString(8)} "$target" ${device.type} ${device.major} ${device.minor}; chown ${device.uid}:${device.gid} "$target"; }`,
    ),
    ...config.linux.maskedPaths.map(
      (path) =>
        `inside ${shellQuote(path)}; if [ -d "$target" ]; then mount -t tmpfs -o ro,size=0 tmpfs "$target"; elif [ -e "$target" ]; then mount --bind /dev/null "$target"; fi`,
    ),
    ...config.linux.readonlyPaths.map(
      (path) =>
        `inside ${shellQuote(path)}; if [ -e "$target" ]; then mount --bind "$target" "$target"; mount -o remount,bind,ro "$target"; fi`,
    ),
    `folder ${shellQuote(config.process.cwd)} || :`,
    ...(config.root.readonly ? [`mount -o remount,bind,ro ${shellQuote(config.root.path)}`] : []),
    'mount --move . /',
  ].join('\n');
}

function mountLines(mount: OciMount): string {
  const options = mount.options.join(',');
  if (mount.type === 'bind') return bindLines(mount);
  if (mount.type === 'cgroup') {
    const mode = mount.options.includes('ro') ? 'ro' : 'rw';
    return `folder ${shellQuote(mount.destination)}
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then mount -t cgroup2 -o ${options} cgroup2 "$target"
else mount -t tmpfs -o nosuid,nodev,noexec,size=1024k tmpfs "$target"
${versionOneCgroups.replace('MODE', mode)}
fi`;
  }
  const lines = `folder ${shellQuote(mount.destination)}
mount -t ${mount.type} -o ${options} ${shellQuote(mount.source)} "$target"`;
  return mount.destination === '/dev' ? `${lines}\n${devices}` : lines;
}

function bindLines(mount: OciMount): string {
  const propagation =
    mount.options.find((option) => ['rprivate', 'rslave', 'rshared'].includes(option)) ?? 'rprivate';
  return `place ${shellQuote(mount.source)} ${shellQuote(mount.destination)}
mount --rbind ${shellQuote(mount.source)} "$target"
mount --make-${propagation} "$target"${mount.options.includes('ro') ? '\nmount -o remount,bind,ro "$target"' : ''}`;
}
