import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { ownPlace, type NetworkPlace } from '../network-place.ts';
import { runTool } from '../run-tool.ts';
import { labHindrance } from '../testing/pod-lab.ts';
import { createNft, type Nft } from './nft-session.ts';

/** As on a machine whose nft was built without an interactive mode. */
const plain: NetworkPlace = { ...ownPlace(), enter: ['sh', '-c', 'echo no such mode; exit 1'] };

describe.skipIf(labHindrance() !== undefined).each([
  { title: 'one nft for many transactions', place: ownPlace() },
  { title: 'an nft for each transaction', place: plain },
])('$title', ({ place }) => {
  let nft: Nft;
  let table: string;

  beforeEach(async () => {
    table = `ip kanoe-test-${randomBytes(4).toString('hex')}`;
    nft = createNft(place, systemClock);
    await nft.load(`table ${table} {\n  chain one {\n  }\n}\n`);
  });
  afterEach(async () => {
    nft.close();
    await runTool('nft', ['delete', 'table', ...table.split(' ')]);
  });

  const list = (): Promise<string> => runTool('nft', ['list', 'table', ...table.split(' ')]);

  it('brings commands into force in their order', async () => {
    await Promise.all([
      nft.apply([`add chain ${table} a/b`, `add rule ${table} a/b accept`]),
      nft.apply([`add set ${table} s { type ipv4_addr; flags dynamic, timeout; timeout 5s; }`]),
      nft.apply([`flush chain ${table} a/b`, `add rule ${table} a/b update @s { ip saddr }`]),
    ]);
    expect((await list()).replaceAll(/\s+/g, ' ')).toContain('chain a/b { update @s { ip saddr } }');
  });

  it('does nothing of a transaction that fails, says why, and goes on', async () => {
    const broken = nft.apply([`add chain ${table} two`, `add rule ${table} three accept`]);
    await expect(broken).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('No such file or directory'),
    });
    await expect(nft.apply(['add nonsense'])).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    await nft.apply([`add chain ${table} four`]);
    expect(await list()).not.toContain('two');
    expect(await list()).toContain('four');
  });

  it('takes long transactions', async () => {
    const elements = Array.from({ length: 400 }, (_, at) => `10.0.${at >> 8}.${at & 255}`).join(', ');
    await nft.apply([`add set ${table} s { type ipv4_addr; }`]);
    await nft.apply([`add element ${table} s { ${elements} }`]);
    const chains = Array.from({ length: 300 }, (_, at) => `add chain ${table} chain-number-${at}`);
    await nft.apply(chains);
    const text = await list();
    expect(text).toContain('10.0.1.143');
    expect(text).toContain('chain-number-299 ');
  });
});
