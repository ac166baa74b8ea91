import { access, readdir, readFile, writeFile } from 'node:fs/promises';

const folder = '/proc/sys/net/ipv4';
const ipv6Folder = '/proc/sys/net/ipv6';

/** Whether this network namespace has a link of that name. */
export async function linkExists(name: string): Promise<boolean> {
  return await access(`${folder}/conf/${name}`).then(
    () => true,
    () => false,
  );
}

/** Sets `net.ipv4.conf.<link>.<setting>`; they vanish with the link. */
export async function setLinkSettings(
  link: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(settings))
    await writeFile(`${folder}/conf/${link}/${name}`, value);
}

/** Lets a link have IPv6 addresses, where links have none by default. */
export async function enableIpv6(link: string): Promise<void> {
  await writeFile(`${ipv6Folder}/conf/${link}/disable_ipv6`, '0');
}

/** Whether this network namespace forwards packets between links. */
export async function isForwarding(): Promise<boolean> {
  return (await readFile(`${folder}/ip_forward`, 'utf8')).trim() === '1';
}

/** Switches forwarding between all links on (`1`) or off (`0`). */
export async function setForwarding(value: '0' | '1'): Promise<void> {
  await writeFile(`${folder}/ip_forward`, value);
}

/** Whether this network namespace forwards IPv6 packets between links. */
export async function isForwardingIpv6(): Promise<boolean> {
  return (await readFile(`${ipv6Folder}/conf/all/forwarding`, 'utf8')).trim() === '1';
}

/**
 * Switches IPv6 forwarding between all links on or off. Links that take routes from routers go on doing so: of their own
 * accord only links that do not forward would.
 */
export async function setForwardingIpv6(value: '0' | '1'): Promise<void> {
  const links = value === '1' ? await readdir(`${ipv6Folder}/conf`) : [];
  for (const link of links.filter((name) => !['all', 'default', 'lo'].includes(name))) {
    const file = `${ipv6Folder}/conf/${link}/accept_ra`;
    const accepts = await readFile(file, 'utf8').catch(() => '');
    if (accepts.trim() === '1') await writeFile(file, '2').catch(() => undefined);
  }
  await writeFile(`${ipv6Folder}/conf/all/forwarding`, value);
}
