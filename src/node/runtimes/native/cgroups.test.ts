import { describe, expect, it } from 'vitest';
import { limitWrites, parseCgroupMounts, weightOfShares } from './cgroups.ts';

describe('parseCgroupMounts', () => {
  it('reads version 1 with a unified mount beside it', () => {
    const mounts = parseCgroupMounts(
      [
        '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
        '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
        '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd',
        '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
      ].join('\n'),
    );
    expect(mounts.version).toBe(1);
    expect(Object.fromEntries(mounts.controllers)).toEqual({
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
      'name=systemd': '/sys/fs/cgroup/systemd',
    });
    expect(mounts.unified).toBe('/sys/fs/cgroup/unified');
  });

  it('reads version 2', () => {
    const mounts = parseCgroupMounts(
      '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate',
    );
    expect(mounts).toEqual({ version: 2, controllers: new Map(), unified: '/sys/fs/cgroup' });
  });
});

describe('limitWrites', () => {
  const resources = {
    cpuShares: 1024,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    memoryLimitBytes: 1024,
    pidsLimit: 7,
  };

  it('writes version 1 limits', () => {
    expect(limitWrites(1, resources)).toEqual([
      [
        'cpu',
        [
          ['cpu.shares', '1024'],
          ['cpu.cfs_period_us', '100000'],
          ['cpu.cfs_quota_us', '50000'],
        ],
      ],
      [
        'memory',
        [
          ['memory.limit_in_bytes', '1024'],
          ['memory.memsw.limit_in_bytes', '1024'],
          ['memory.limit_in_bytes', '1024'],
        ],
      ],
      ['pids', [['pids.max', '7']]],
    ]);
  });

  it('writes version 2 limits and has the whole container killed when memory runs out', () => {
    expect(limitWrites(2, resources)).toEqual([
      [
        'cpu',
        [
          ['cpu.weight', '39'],
          ['cpu.max', '50000 100000'],
        ],
      ],
      [
        'memory',
        [
          ['memory.max', '1024'],
          ['memory.swap.max', '0'],
          ['memory.oom.group', '1'],
        ],
      ],
      ['pids', [['pids.max', '7']]],
    ]);
  });

  it.each([
    [2, 1],
    [1024, 39],
    [262_144, 10_000],
  ])('%i shares weigh %i', (shares, weight) => {
    expect(weightOfShares(shares)).toBe(weight);
  });
});
