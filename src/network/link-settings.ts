import { access, readFile, writeFile } from 'node:fs/promises';

const folder = '/proc/sys/net/ipv4';

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

/** Whether this network namespace forwards packets between links. */
export async function isForwarding(): Promise<boolean> {
  return (await readFile(`${folder}/ip_forward`, 'utf8')).trim() === '1';
}

/** Switches forwarding between all links on (`1`) or off (`0`). */
export async function setForwarding(value: '0' | '1'): Promise<void> {
  await writeFile(`${folder}/ip_forward`, value);
}
