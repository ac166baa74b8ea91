import { expect, it } from 'vitest';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { newInternalError } from '../../machinery/status/errors.ts';
import { conversionRefused } from './converter.ts';
import type { CustomVersion } from './custom-form.ts';
import { translation } from './translation.ts';

function translated(cause: string): { calls: string[][]; read(names: readonly string[]): Promise<string[]> } {
  const calls: string[][] = [];
  const type = { group: 'toys', version: 'v2', resource: 'cars', kind: 'Car' } as ResourceType<KubeObject>;
  const converter = {
    convert: (objects: readonly KubeObject[]): Promise<KubeObject[]> => {
      calls.push(objects.map(({ metadata }) => metadata.name ?? ''));
      if (objects.some(({ metadata }) => metadata.name === 'bad'))
        return Promise.reject(new StatusError(newInternalError('refused').status, { cause }));
      return Promise.resolve(objects.map((object) => ({ ...object, apiVersion: 'toys/v2' })));
    },
    compare: (object: KubeObject) => object,
  };
  const translate = translation({ type, converter } as object as CustomVersion);
  return {
    calls,
    read: async (names) => {
      const values = names.map((name) =>
        Buffer.from(JSON.stringify({ apiVersion: 'toys/v1', kind: 'Car', metadata: { name } })),
      );
      return (await translate(values)).map((value) =>
        value instanceof StatusError
          ? value.message
          : (JSON.parse(value.toString()) as KubeObject).apiVersion,
      );
    },
  };
}

it('asks in parts where a webhook refuses some', async () => {
  const { calls, read } = translated(conversionRefused);
  const refused = 'Internal error occurred: refused';
  expect(await read(['a', 'bad', 'c'])).toEqual(['toys/v2', refused, 'toys/v2']);
  expect(calls).toEqual([['a', 'bad', 'c'], ['a'], ['bad', 'c'], ['bad'], ['c']]);
});

it('asks once where a webhook cannot be asked', async () => {
  const { calls, read } = translated('not reached');
  await expect(read(['a', 'bad'])).rejects.toThrow('refused');
  expect(calls).toHaveLength(1);
});
