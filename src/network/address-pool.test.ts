import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatIpv4 } from '../base/ipv4.ts';
import { openAddressPool, type AddressPool } from './address-pool.ts';
import { requireRange } from './cluster-link.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pool-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const open = (range: string): Promise<AddressPool> =>
  openAddressPool(join(folder, 'pool.json'), requireRange(range));
const lease = (pool: AddressPool, id: string): string => formatIpv4(pool.lease(id, []).address);

describe('addresses of a node', () => {
  it('begin behind the gateway and are given once', async () => {
    const pool = await open('10.244.3.0/24');
    expect(['a', 'b', 'a'].map((id) => lease(pool, id))).toEqual(['10.244.3.2', '10.244.3.3', '10.244.3.2']);
  });

  it('are given again only after all others', async () => {
    const pool = await open('10.244.3.0/29');
    for (const id of ['a', 'b', 'c', 'd', 'e']) lease(pool, id);
    expect(() => lease(pool, 'f')).toThrow('no address is free in 10.244.3.0/29: all 5 belong to pods');
    pool.release('b');
    pool.release('d');
    expect(['f', 'g'].map((id) => lease(pool, id))).toEqual(['10.244.3.3', '10.244.3.5']);
  });

  it('are remembered, and so is whose turn it is', async () => {
    const pool = await open('10.244.3.0/24');
    lease(pool, 'a');
    pool.markAttached('a');
    lease(pool, 'b');
    pool.release('b');
    await Promise.all([pool.save(), pool.save()]);
    const again = await open('10.244.3.0/24');
    expect(again.leases.get('a')).toMatchObject({ attached: true });
    expect(['a', 'c'].map((id) => lease(again, id))).toEqual(['10.244.3.2', '10.244.3.4']);
  });

  it('of another range are forgotten', async () => {
    const pool = await open('10.244.3.0/24');
    lease(pool, 'a');
    await pool.save();
    expect((await open('10.244.4.0/24')).leases.size).toBe(0);
  });

  it('say whether their link is there', async () => {
    const pool = await open('10.244.3.0/24');
    lease(pool, 'a');
    pool.markAttached('a');
    pool.markDetached('a');
    pool.markDetached('nobody');
    expect([...pool.leases.values()]).toMatchObject([{ attached: false }]);
  });
});
