import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { formatIpv4Range, parseIpv4Range } from '../base/ipv4.ts';
import { claimNetwork } from './claim-network.ts';

const claimed = async (start: number, taken: readonly string[] = []): Promise<string> =>
  formatIpv4Range(
    await claimNetwork(
      start,
      taken.flatMap((text) => parseIpv4Range(text) ?? []),
    ),
  );

describe.runIf(process.platform === 'linux')('claimNetwork', () => {
  it('gives nobody what somebody else has claimed, until that process ends', async () => {
    const program = `require('net').createServer().listen('\\0kanoe/networks/10.201.0.0/16', () => console.log('has it'))`;
    const other = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');
    expect(await claimed(201)).toBe('10.202.0.0/16');
    other.kill('SIGKILL');
    await once(other, 'close');
    expect(await claimed(201)).toBe('10.201.0.0/16');
  });

  it('passes over networks that are taken, and those it has claimed itself', async () => {
    expect(await claimed(205, ['10.205.3.0/24'])).toBe('10.206.0.0/16');
    expect(await claimed(205, ['10.205.3.0/24'])).toBe('10.207.0.0/16');
  });
});
