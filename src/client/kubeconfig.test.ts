import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionOf, readKubeconfig, readKubeconfigs, updateKubeconfig } from './kubeconfig-file.ts';
import { KubeconfigError, mergeContext, removeContext } from './kubeconfig.ts';

const entry = (name: string, server: string): Parameters<typeof mergeContext>[1] => ({
  name,
  cluster: { server, 'certificate-authority-data': Buffer.from('CA').toString('base64') },
  user: { token: `token-of-${name}` },
});

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kubeconfig-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('kubeconfig files', () => {
  it('are made with their folder, for their owner only', async () => {
    const file = path.join(directory, 'new', 'config');
    await updateKubeconfig(file, (config) => mergeContext(config, entry('kanoe', 'https://127.0.0.1:6443')));
    expect([(await stat(file)).mode & 0o777, (await stat(path.dirname(file))).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
  });

  it('keep other contexts and unknown members when one is merged and removed', async () => {
    const file = path.join(directory, 'config');
    await writeFile(file, 'apiVersion: v1\nkind: Config\npreferences: {colors: true}\n');
    await updateKubeconfig(file, (config) => mergeContext(config, entry('mine', 'https://mine')));
    const before = await readKubeconfig(file);
    await updateKubeconfig(file, (config) => mergeContext(config, entry('kanoe', 'https://kanoe')));
    await updateKubeconfig(file, (config) => removeContext(config, 'kanoe'));
    const { 'current-context': _, ...kept } = before ?? {};
    expect(await readKubeconfig(file)).toEqual(kept);
  });

  it('are left alone when they cannot be read', async () => {
    const file = path.join(directory, 'config');
    await writeFile(file, '- not\n- a kubeconfig\n');
    await expect(updateKubeconfig(file, (config) => config)).rejects.toThrow(KubeconfigError);
    expect(await readFile(file, 'utf8')).toBe('- not\n- a kubeconfig\n');
  });

  it('lead to a connection, with files named relative to them', async () => {
    const file = path.join(directory, 'config');
    await writeFile(path.join(directory, 'ca.pem'), 'CA');
    await updateKubeconfig(file, (config) =>
      mergeContext(config, {
        name: 'kanoe',
        cluster: { server: 'https://127.0.0.1:1', 'certificate-authority': 'ca.pem' },
        user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' },
      }),
    );
    const config = await readKubeconfigs([file, path.join(directory, 'absent')]);
    expect(await connectionOf(config)).toEqual({
      server: 'https://127.0.0.1:1',
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
    });
  });

  it('say which contexts there are when one is not', async () => {
    const config = mergeContext(await readKubeconfigs([]), entry('kanoe', 'https://kanoe'));
    await expect(connectionOf(config, 'other')).rejects.toThrow(
      'there is no context "other" in the kubeconfig; there are: kanoe',
    );
  });
});
