import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, decodeValue } from '../schema/decode.ts';
import { encodeObject } from '../schema/encode-object.ts';
import type { FieldType } from '../schema/schema.ts';
import { kubernetesSchema } from '../schema/table.ts';
import { decodeProtobuf } from './decode-protobuf.ts';
import { encodeProtobuf } from './encode-protobuf.ts';
import { unwrapEnvelope, wrapEnvelope } from './envelope.ts';
import { protobufList, watchFrame } from './protobuf-stream.ts';

const table = kubernetesSchema();
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

function sample(name: string): Buffer {
  return readFileSync(new URL(`testdata/${name}`, import.meta.url));
}

describe("upstream's samples", () => {
  it.each([
    ['core.v1.Event', 'io.k8s.api.core.v1.Event'],
    ['core.v1.Secret', 'io.k8s.api.core.v1.Secret'],
    ['core.v1.Service', 'io.k8s.api.core.v1.Service'],
    ['core.v1.Status', `${meta}.Status`],
    ['core.v1.DeleteOptions', `${meta}.DeleteOptions`],
    ['admission.k8s.io.v1.AdmissionReview', 'io.k8s.api.admission.v1.AdmissionReview'],
    ['authentication.k8s.io.v1.TokenReview', 'io.k8s.api.authentication.v1.TokenReview'],
    ['autoscaling.v2.HorizontalPodAutoscaler', 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler'],
    ['batch.v1.CronJob', 'io.k8s.api.batch.v1.CronJob'],
  ])('%s is the same in both encodings, byte for byte', (name, message) => {
    const schema = { table, message };
    const json = sample(`${name}.json`);
    const { object } = decode(json, schema);
    const { apiVersion, kind } = object as { apiVersion: string; kind: string };
    const bytes = sample(`${name}.pb`);
    expect(wrapEnvelope({ apiVersion, kind, raw: encodeProtobuf(object, schema) })).toEqual(bytes);
    expect({ ...decodeProtobuf(unwrapEnvelope(bytes).raw, schema), apiVersion, kind }).toEqual(object);
    expect(JSON.parse(encodeObject(object, schema))).toEqual(JSON.parse(json.toString()));
  });

  it('WatchEvent is what a frame holds', () => {
    const { raw } = unwrapEnvelope(sample('core.v1.WatchEvent.pb'));
    const { object } = decodeProtobuf(raw, { table, message: `${meta}.WatchEvent` });
    const frame = watchFrame('typeValue', Buffer.from(JSON.stringify(object)));
    expect(frame.readUInt32BE()).toBe(raw.length);
    expect(frame.subarray(4)).toEqual(raw);
  });
});

describe('protobuf', () => {
  const deployment = { table, message: 'io.k8s.api.apps.v1.Deployment' };

  it('tells zero from absence where Go holds a pointer, and only there', () => {
    const { object } = decodeValue({ spec: { replicas: 0, minReadySeconds: 0 } }, deployment);
    const back = decodeProtobuf(encodeProtobuf(object, deployment), deployment);
    expect(back).toEqual(object);
    expect(back['spec']).toMatchObject({ replicas: 0 });
    expect(back['spec']).not.toHaveProperty('minReadySeconds');
  });

  it('keeps int64 and __proto__', () => {
    const object = decodeValue(
      {
        metadata: {
          generation: 9_007_199_254_740_993n,
          labels: Object.fromEntries([['__proto__', 'x']]),
        },
        spec: { revisionHistoryLimit: -1 },
      },
      deployment,
    ).object;
    expect(decodeProtobuf(encodeProtobuf(object, deployment), deployment)).toEqual(object);
  });

  it('makes lists of items that are encoded already', () => {
    const schema = { table, message: 'io.k8s.api.core.v1.ConfigMap' };
    const objects = [{ metadata: { name: 'a' } }, { metadata: { name: 'b' }, data: { k: 'v' } }];
    const items = objects.map((object) => encodeProtobuf(object, schema));
    const list = { table, message: 'io.k8s.api.core.v1.ConfigMapList' };
    const bytes = protobufList({ resourceVersion: '7' }, items, table);
    expect(decodeProtobuf(bytes, list)).toEqual({ metadata: { resourceVersion: '7' }, items: objects });
    expect(bytes).toEqual(encodeProtobuf({ metadata: { resourceVersion: '7' }, items: objects }, list));
  });

  it.each([
    [
      'no prefix',
      Buffer.from('{}'),
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    ],
    ['a length beyond the end', Buffer.from([0x6b, 0x38, 0x73, 0, 0x12, 0x7f]), 'unexpected EOF'],
    ['a tag without number', Buffer.from([0x6b, 0x38, 0x73, 0, 0x02]), 'proto: illegal tag 0 (wire type 2)'],
    [
      'an endless varint',
      Buffer.concat([Buffer.from([0x6b, 0x38, 0x73, 0, 0x50]), Buffer.alloc(11, 0xff)]),
      'proto: integer overflow',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => unwrapEnvelope(bytes)).toThrow(expect.objectContaining({ code: 'DECODE', message }));
  });

  it('refuses or reads any bytes', () => {
    const codeOf = (bytes: Uint8Array): unknown => {
      try {
        decodeProtobuf(bytes, deployment);
        return 'none';
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(bytes)).toMatch(/^(?:none|DECODE|JSON_SYNTAX)$/);
      }),
    );
  });

  it.each([
    'io.k8s.api.core.v1.Pod',
    'io.k8s.api.core.v1.Node',
    'io.k8s.api.authorization.v1.SubjectAccessReview',
    'io.k8s.api.resource.v1.ResourceClaim',
    `${apiextensions}.CustomResourceDefinition`,
  ])('and JSON hold the same of any %s', (message) => {
    const schema = { table, message };
    fc.assert(
      fc.property(arbitrary({ type: 'message', message }, 5), (value) => {
        const { object, strict } = decodeValue(withoutEmptyManagers(value), schema);
        expect(strict).toEqual([]);
        expect(decode(Buffer.from(encodeObject(object, schema)), schema).object).toEqual(object);
        const { apiVersion: _version, kind: _kind, ...rest } = object;
        expect(decodeProtobuf(encodeProtobuf(object, schema), schema)).toEqual(rest);
      }),
      { numRuns: 30 },
    );
  });
});

/** Decoders keep an empty managedFields, which asks to forget its owners; it is never written. */
function withoutEmptyManagers(value: unknown): unknown {
  const { metadata, ...rest } = value as { metadata?: { managedFields?: unknown[] } };
  if (metadata?.managedFields?.length !== 0) return value;
  const { managedFields: _empty, ...others } = metadata;
  return { ...rest, metadata: others };
}

/** Any value of a type; structs become sparser with depth. */
function arbitrary(of: FieldType, depth: number): fc.Arbitrary<unknown> {
  const second = fc.date({ min: new Date(1), max: new Date('2200-01-01'), noInvalidDate: true });
  switch (of.type) {
    case 'string':
      return fc.string();
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'double':
      return fc.integer({ min: -1000, max: 1000 }).map((value) => value / 8);
    case 'bytes':
      return fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'time':
      return second.map((date) => `${date.toISOString().slice(0, 19)}Z`);
    case 'microTime':
      return second.map((date) => `${date.toISOString().slice(0, 23)}123Z`);
    case 'duration':
      return fc.constantFrom('0s', '1h0m0s', '1.5s');
    case 'quantity':
      return fc.constantFrom('0', '100m', '1Gi', '1500Mi', '0.5', '12e6');
    case 'intOrString':
      return fc.oneof(fc.integer(), fc.string());
    case 'raw':
    case 'fieldsV1':
    case 'any':
      return fc.dictionary(fc.string(), fc.string());
    case 'list':
      return fc.array(arbitrary(of.items, depth - 1), { maxLength: 2 });
    case 'map':
      return fc.dictionary(fc.string(), arbitrary(of.values, depth - 1), { maxKeys: 2 });
    case 'schemaOrBool':
      return fc.oneof(fc.boolean(), arbitrary({ type: 'message', message: of.message }, depth - 1));
    case 'schemaOrStrings':
    case 'schemaOrList':
      return arbitrary({ type: 'message', message: of.message }, depth - 1);
    case 'message': {
      if (depth <= 0) return fc.constant({});
      const fields = [...table.get(of.message).fields.values()];
      const model = Object.fromEntries(fields.map((field) => [field.name, arbitrary(field.of, depth - 1)]));
      return fc.record(model, { requiredKeys: [] });
    }
    default:
      return fc.constant(null);
  }
}
