import { describe, expect, it } from 'vitest';
import { parseJson } from '../json/parse-json.ts';
import { decode, decodeTrusted, decodeValue, type Decoded } from './decode.ts';
import { encodeObject } from './encode-object.ts';
import { kubernetesSchema } from './table.ts';

const table = kubernetesSchema();
const core = 'io.k8s.api.core.v1';
const deployment = { table, message: 'io.k8s.api.apps.v1.Deployment' };

function decodeText(text: string, message: string): Decoded {
  return decode(Buffer.from(text), { table, message });
}

describe('decode', () => {
  it('leaves out zeros that Go leaves out and keeps those behind pointers', () => {
    const { object } = decodeText(
      '{"spec":{"replicas":0,"minReadySeconds":0,"paused":false}}',
      deployment.message,
    );
    expect(object).toEqual({
      metadata: {},
      spec: { replicas: 0, strategy: {}, template: { metadata: {}, spec: { containers: [] } } },
      status: {},
    });
  });

  it('takes null for absence, and for the zero value inside lists and maps', () => {
    const text =
      '{"metadata":{"labels":{"a":null}},"spec":{"containers":[null],"nodeName":null},"status":null}';
    expect(decodeText(text, `${core}.Pod`).object).toEqual({
      metadata: { labels: { a: '' } },
      spec: { containers: [{ name: '', resources: {} }] },
      status: {},
    });
  });

  it('reports unknown and duplicate fields in the order of the document', () => {
    const text = '{"bogus":1,"data":{"a":"1","a":"2"},"metadata":{"odd":{"x":1}},"more":[]}';
    expect(decodeText(text, `${core}.ConfigMap`)).toEqual({
      object: { data: { a: '2' }, metadata: {} },
      strict: [
        'unknown field "bogus"',
        'duplicate field "data.a"',
        'unknown field "metadata.odd"',
        'unknown field "more"',
      ],
    });
  });

  it('shows list indexes in the paths of unknown fields', () => {
    const text = '{"spec":{"containers":[{"name":"a"},{"name":"b","ports":[{"bogus":1}]}]}}';
    expect(decodeText(text, `${core}.Pod`).strict).toEqual([
      'unknown field "spec.containers[1].ports[0].bogus"',
    ]);
  });

  it('keeps __proto__ as data', () => {
    const { object } = decodeText('{"data":{"__proto__":"x"}}', `${core}.ConfigMap`);
    expect(Object.keys(object['data'] as object)).toEqual(['__proto__']);
    expect(encodeObject(object, { table, message: `${core}.ConfigMap` })).toBe(
      '{"metadata":{},"data":{"__proto__":"x"}}',
    );
  });

  it('keeps integers beyond 2^53', () => {
    const { object } = decodeText('{"metadata":{"generation":9007199254740993}}', deployment.message);
    expect(object['metadata']).toEqual({ generation: 9_007_199_254_740_993n });
    expect(decodeTrusted(Buffer.from(encodeObject(object, deployment)), deployment)['metadata']).toEqual({
      generation: 9_007_199_254_740_993n,
    });
  });

  it.each([
    [
      { cpu: '1000m', memory: '1024Mi' },
      { cpu: '1', memory: '1Gi' },
    ],
    [
      { cpu: 0.5, memory: 1024 },
      { cpu: '500m', memory: '1024' },
    ],
    [
      { cpu: '100m', memory: null },
      { cpu: '100m', memory: '0' },
    ],
  ])('writes the quantities %j canonically', (given, expected) => {
    const object = decodeValue({ spec: { hard: given } }, { table, message: `${core}.ResourceQuota` }).object;
    expect(object['spec']).toEqual({ hard: expected });
  });

  it.each([
    ['2020-01-01T01:00:00+02:00', '2019-12-31T23:00:00Z'],
    ['2020-02-29T01:00:00.5Z', '2020-02-29T01:00:00Z'],
    ['0001-01-01T00:00:00Z', undefined],
  ])('writes the time %s in UTC', (given, expected) => {
    const object = decodeValue({ metadata: { deletionTimestamp: given } }, deployment).object;
    expect(object['metadata']).toEqual(expected === undefined ? {} : { deletionTimestamp: expected });
  });

  it.each([
    [
      '{"spec":{"replicas":"x"}}',
      'Deployment',
      'string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"replicas":1.5}}',
      'Deployment',
      'number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"replicas":2147483648}}',
      'Deployment',
      'number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    ['{"spec":5}', 'Deployment', 'number into Go struct field Deployment.spec of type v1.DeploymentSpec'],
    ['5', 'Deployment', 'number into Go value of type v1.Deployment'],
    [
      '{"spec":{"template":{"spec":{"containers":[{"ports":[{"containerPort":"a"}]}]}}}}',
      'Deployment',
      'string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32',
    ],
    [
      '{"spec":{"template":{"spec":{"containers":["a"]}}}}',
      'Deployment',
      'string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container',
    ],
    [
      '{"spec":{"template":{"spec":{"containers":{}}}}}',
      'Deployment',
      'object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      '{"metadata":{"labels":{"a":1}}}',
      'Deployment',
      'number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      '{"metadata":{"labels":[]}}',
      'Deployment',
      'array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      '{"metadata":{"creationTimestamp":5}}',
      'Deployment',
      'number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    ],
    [
      '{"spec":{"replicas":"x","paused":1}}',
      'Deployment',
      'string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
  ])('refuses %s', (text, kind, problem) => {
    const message = `json: cannot unmarshal ${problem}`;
    expect(() => decodeText(text, `io.k8s.api.apps.v1.${kind}`)).toThrow(
      expect.objectContaining({ code: 'DECODE', message }),
    );
  });

  it.each([
    ['{"data":{"a":"!!"}}', 'Secret', 'illegal base64 data at input byte 0'],
    ['{"data":{"a":"YWJj="}}', 'Secret', 'illegal base64 data at input byte 4'],
    [
      '{"metadata":{"creationTimestamp":"x"}}',
      'Secret',
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
    [
      '{"metadata":{"creationTimestamp":"2021-02-29T00:00:00Z"}}',
      'Secret',
      'parsing time "2021-02-29T00:00:00Z": day out of range',
    ],
    [
      '{"eventTime":"2021-02-28T00:00:00Z"}',
      'Event',
      'parsing time "2021-02-28T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
    [
      '{"spec":{"hard":{"cpu":"1x"}}}',
      'ResourceQuota',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      '{"spec":{"hard":5,"scopes":5,"hard":{"cpu":"1Ki1"}}}',
      'ResourceQuota',
      "unable to parse quantity's suffix",
    ],
  ])('refuses %s', (text, kind, message) => {
    expect(() => decodeText(text, `${core}.${kind}`)).toThrow(
      expect.objectContaining({ code: 'DECODE', message }),
    );
  });

  it('complains of bad syntax before anything else', () => {
    expect(() => decodeText('{"spec":5,}', deployment.message)).toThrow(
      expect.objectContaining({ code: 'JSON_SYNTAX' }),
    );
  });

  it('does not look for unknown fields below JSON Schema unions', () => {
    const message = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';
    const text = '{"items":{"type":"string","odd":1},"odd":1,"additionalProperties":true,"enum":[1,null]}';
    expect(decodeText(text, message)).toEqual({
      object: { items: { type: 'string' }, additionalProperties: true, enum: [1, null] },
      strict: ['unknown field "odd"'],
    });
  });
});

describe('encodeObject', () => {
  it('writes what Go always writes', () => {
    const message = 'io.k8s.api.discovery.v1.EndpointSlice';
    const { object } = decodeText('{"kind":"EndpointSlice","endpoints":[]}', message);
    expect(object).toMatchObject({ endpoints: [], ports: [] });
    const text = encodeObject(object, { table, message });
    expect(text).toBe(
      '{"kind":"EndpointSlice","metadata":{},"endpoints":null,"ports":null,"addressType":""}',
    );
    expect(decodeTrusted(Buffer.from(text), { table, message })).toEqual(object);
  });

  it('writes fields in the order of Go structs', () => {
    const metadata = { ownerReferences: [], uid: 'u', name: 'n', labels: { a: 'b' } };
    const text = encodeObject({ metadata }, { table, message: 'io.k8s.api.core.v1.ConfigMap' });
    expect(text).toBe('{"metadata":{"name":"n","uid":"u","labels":{"a":"b"}}}');
  });

  it.each([
    ['maps', '{"data":{"a":"1"},"data":{"b":"2"}}', { data: { a: '1', b: '2' } }, ['duplicate field "data"']],
    [
      'structs',
      '{"metadata":{"name":"a","uid":"u"},"metadata":{"name":"b"}}',
      { metadata: { name: 'b', uid: 'u' } },
      ['duplicate field "metadata"'],
    ],
  ])('unites %s that are there twice', (_, text, object, strict) => {
    const decoded = decodeText(text, 'io.k8s.api.core.v1.ConfigMap');
    expect(decoded.object).toMatchObject(object);
    expect(decoded.strict).toEqual(strict);
  });

  it('leaves out what code set to zero', () => {
    const object = {
      spec: { minReadySeconds: 0, replicas: 0, selector: {}, template: { spec: { containers: [] } } },
    };
    expect(parseJson(encodeObject(object, deployment)).value).toEqual({
      metadata: {},
      spec: {
        replicas: 0,
        selector: {},
        strategy: {},
        template: { metadata: {}, spec: { containers: null } },
      },
      status: {},
    });
  });
});
