import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { legacySchema } from '../src/api/legacy/legacy-schema.ts';
import { decodeProtobuf } from '../src/machinery/protobuf/decode-protobuf.ts';
import { encodeProtobuf } from '../src/machinery/protobuf/encode-protobuf.ts';
import { unwrapEnvelope, wrapEnvelope } from '../src/machinery/protobuf/envelope.ts';
import { decode } from '../src/machinery/schema/decode.ts';
import { encodeObject } from '../src/machinery/schema/encode-object.ts';
import { kubernetesSchema } from '../src/machinery/schema/table.ts';
import { describeWith } from './support/needs.ts';

const table = legacySchema(kubernetesSchema());
const samples = join(process.env['KANOE_SPEC'] ?? 'KANOE_SPEC', 'roundtrip');
const names = existsSync(samples)
  ? readdirSync(samples)
      .filter((name) => name.endsWith('.pb'))
      .map((name) => name.slice(0, -'.pb'.length))
  : [];

/** Where the messages of a group are in the schema table. */
const packages = [
  'io.k8s.api',
  'io.k8s.apimachinery.pkg.apis',
  'io.k8s.apiextensions-apiserver.pkg.apis',
  'io.k8s.kube-aggregator.pkg.apis',
];

/** `rbac.authorization.k8s.io.v1.Role` → the message, if it is one of a version that is or was served. */
function messageOf(sample: string): string | undefined {
  const [kind = '', version = '', ...rest] = sample.split('.').toReversed();
  const group = rest.at(-1) ?? '';
  const candidates = [group, 'meta'].flatMap((name) =>
    packages.map((prefix) => `${prefix}.${name}.${version}.${kind}`),
  );
  return candidates.find((name) => table.has(name));
}

describeWith({ samples: true }, "upstream's samples of every kind", () => {
  it.each(names.filter((name) => messageOf(name) !== undefined && !name.endsWith('.WatchEvent')))(
    '%s is the same in JSON and protobuf',
    (name) => {
      const schema = { table, message: messageOf(name) ?? '' };
      const json = readFileSync(join(samples, `${name}.json`));
      const bytes = readFileSync(join(samples, `${name}.pb`));
      const { object, strict } = decode(json, schema);
      expect(strict).toEqual([]);
      const { apiVersion, kind } = object as { apiVersion: string; kind: string };
      expect(JSON.parse(encodeObject(object, schema))).toEqual(JSON.parse(json.toString()));
      expect({ ...decodeProtobuf(unwrapEnvelope(bytes).raw, schema), apiVersion, kind }).toEqual(object);
      expect(wrapEnvelope({ apiVersion, kind, raw: encodeProtobuf(object, schema) }).equals(bytes)).toBe(
        true,
      );
    },
  );

  it('has a message for every kind of the served versions', () => {
    const served = /^(?!.*v\d+(alpha|beta)\d+)/;
    expect(names.filter((name) => served.test(name) && messageOf(name) === undefined)).toEqual([]);
  });
});
