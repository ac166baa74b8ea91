import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../api/core/v1.gen.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { ListOptions, WatchEvent } from '../client/client.ts';
import type { Live, ObjectList } from '../machinery/object.ts';
import { StatusError } from '../machinery/status-error.ts';
import { reflect } from './reflector.ts';

function configMap(name: string, resourceVersion: string): Live<ConfigMap> {
  const creationTimestamp = '2026-01-01T00:00:00Z';
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion, creationTimestamp },
  };
}

const expired = new StatusError({ code: 410, reason: 'Expired', message: 'too old resource version: 5 (9)' });
const refused = new Error('connect ECONNREFUSED 127.0.0.1:6443');

type Step = readonly WatchEvent<ConfigMap>[] | Error;

/** Plays `lists` and `watches` in turn, then waits for the signal; returns what the reflector did. */
async function follow(lists: readonly (string | Error)[], watches: readonly Step[]): Promise<string[]> {
  const clock = new FakeClock();
  const stop = new AbortController();
  const log: string[] = [];
  let listed = 0;
  let watched = 0;
  const running = reflect<ConfigMap>({
    clock,
    signal: stop.signal,
    replace: (objects) => log.push(`replace ${objects.map((object) => object.metadata.name).join(' ')}`),
    apply: ({ type, object }) => log.push(`${type} ${object.metadata.name}`),
    advance: (version) => log.push(`advance ${version}`),
    onError: (error) => log.push(`error ${(error as Error).message}`),
    resource: {
      async list(): Promise<ObjectList<ConfigMap>> {
        const answer = lists[Math.min(listed++, lists.length - 1)];
        if (answer instanceof Error) throw answer;
        const items = [configMap('listed', '4')];
        return {
          apiVersion: 'v1',
          kind: 'ConfigMapList',
          metadata: { resourceVersion: answer ?? '' },
          items,
        };
      },
      async *watch(options: ListOptions): AsyncGenerator<WatchEvent<ConfigMap>> {
        log.push(`watch from ${options.resourceVersion}`);
        const step = watches[watched++];
        if (step instanceof Error) throw step;
        if (step) yield* step;
        else {
          await new Promise((resolve) => options.signal?.addEventListener('abort', resolve));
        }
      },
    },
  });
  await clock.advance(0);
  await clock.advance(10_000);
  stop.abort();
  await running;
  return log;
}

describe('reflect', () => {
  it('lists once and applies what the watch brings', async () => {
    expect(await follow(['5'], [[{ type: 'ADDED', object: configMap('a', '6') }]])).toEqual([
      'replace listed',
      'watch from 5',
      'ADDED a',
      'watch from 6',
    ]);
  });

  it('resumes from a bookmark', async () => {
    expect(await follow(['5'], [[{ type: 'BOOKMARK', object: configMap('', '90') }]])).toEqual([
      'replace listed',
      'watch from 5',
      'advance 90',
      'watch from 90',
    ]);
  });

  it('lists anew when the version is gone', async () => {
    expect(await follow(['5', '9'], [expired])).toEqual([
      'replace listed',
      'watch from 5',
      'replace listed',
      'watch from 9',
    ]);
  });

  it('keeps its place when the connection breaks', async () => {
    expect(await follow(['5'], [refused, refused])).toEqual([
      'replace listed',
      'watch from 5',
      `error ${refused.message}`,
      'watch from 5',
      `error ${refused.message}`,
      'watch from 5',
    ]);
  });

  it('tries a failed list again', async () => {
    expect(await follow([refused, '5'], [])).toEqual([
      `error ${refused.message}`,
      'replace listed',
      'watch from 5',
    ]);
  });
});
