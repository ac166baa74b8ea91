import { describe, expect, it } from 'vitest';
import { componentPages, type ComponentPages } from './component-pages.ts';
import type { PathRequest } from './path-routes.ts';

let now = Date.UTC(2026, 2, 5, 21, 3, 43);
const pages: ComponentPages = {
  component: 'kube-apiserver',
  clock: { now: () => now } as ComponentPages['clock'],
  version: {
    gitVersion: 'v1.36.2+kanoe.1',
    goVersion: 'node20',
    emulationMajor: '1',
    emulationMinor: '36',
    minCompatibilityMajor: '1',
    minCompatibilityMinor: '35',
  },
  paths: () => ['/version', '/apis/apps', '/apis/batch', '/healthz/ping'],
  flags: () => ({ 'secure-port': '6443', 'anonymous-auth': 'true' }),
};
const warning =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';

function request(path: string, accept?: string): PathRequest {
  return { path, query: new URLSearchParams(), headers: accept === undefined ? {} : { accept } };
}

async function textOf(path: string, accept?: string): Promise<string | undefined> {
  const route = componentPages(pages);
  now += 3_725_000;
  const reply = await route(request(path, accept));
  now -= 3_725_000;
  return reply?.body.toString();
}

describe('componentPages', () => {
  it('shows the state as text, with how long the component has been up', async () => {
    expect(await textOf('/statusz')).toBe(
      `\nkube-apiserver statusz\n${warning}\n\nStarted: Thu Mar  5 21:03:43 UTC 2026\nUp: 1 hr 02 min 05 sec\nGo version: node20\nBinary version: 1.36.2+kanoe.1\nEmulation version: 1.36\nPaths: /apis /healthz /version\n`,
    );
  });

  it('shows the flags in order', async () => {
    expect(await textOf('/flagz', 'text/*')).toBe(
      `\nkube-apiserver flags\n${warning}\n\nanonymous-auth=true\nsecure-port=6443\n`,
    );
  });

  it('shows either as an object to clients that ask for it', async () => {
    const status = await textOf('/statusz', 'application/json;v=v1beta1;g=config.k8s.io;as=Statusz');
    expect(JSON.parse(status ?? '')).toEqual({
      kind: 'Statusz',
      apiVersion: 'config.k8s.io/v1beta1',
      metadata: { name: 'kube-apiserver' },
      startTime: '2026-03-05T21:03:43Z',
      uptimeSeconds: 3725,
      goVersion: 'node20',
      binaryVersion: '1.36.2+kanoe.1',
      emulationVersion: '1.36',
      minimumCompatibilityVersion: '1.35',
      paths: ['/apis', '/healthz', '/version'],
    });
    const flags = await textOf('/flagz', 'application/json;v=v1alpha1;g=config.k8s.io;as=Flagz');
    expect(JSON.parse(flags ?? '')).toMatchObject({ kind: 'Flagz', flags: { 'secure-port': '6443' } });
  });

  it('refuses other forms and leaves other paths to others', async () => {
    await expect(textOf('/flagz', 'application/json')).rejects.toMatchObject({ status: { code: 406 } });
    expect(await textOf('/metrics')).toBeUndefined();
  });
});
