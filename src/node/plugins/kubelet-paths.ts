import { join, normalize } from 'node:path';

/** Where the kubelet keeps its files, as manifests of drivers write it. */
const KUBELET_ROOT = '/var/lib/kubelet';

/** The folders below it that a node has. */
const folders = ['plugins', 'plugins_registry', 'pods', 'device-plugins'];

/**
 * Each node has a directory of its own, and several share a machine: what manifests call `/var/lib/kubelet` (or plugins,
 * plugins_registry, device-plugins and pods in it) is that. Other paths stay as they are.
 */
export function machinePath(path: string, nodeDirectory: string): string {
  const clean = normalize(path).replace(/(?<=.)\/+$/, '');
  if (clean === KUBELET_ROOT) return nodeDirectory;
  if (!clean.startsWith(`${KUBELET_ROOT}/`)) return path;
  const rest = clean.slice(KUBELET_ROOT.length + 1);
  return folders.includes(rest.split('/')[0] ?? '') ? join(nodeDirectory, rest) : path;
}

/** The same file as a driver sees it that was started from such a manifest. */
export function kubeletPath(path: string, nodeDirectory: string): string {
  return path.startsWith(`${nodeDirectory}/`) ? join(KUBELET_ROOT, path.slice(nodeDirectory.length)) : path;
}

/** Whether an endpoint is in the words of such a manifest. */
export function isKubeletPath(path: string): boolean {
  return path.startsWith(`${KUBELET_ROOT}/`);
}
