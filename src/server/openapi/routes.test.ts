import { describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { configMaps } from '../../api/core/config-maps.ts';
import { namespaces } from '../../api/core/namespaces.ts';
import { roles } from '../../api/rbac/roles.ts';
import type { AnyResource } from '../../api/resource.ts';
import { WireReader } from '../../machinery/protobuf/wire-reader.ts';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { openapiHandler, type OpenapiRequest, type OpenapiResponse } from './routes.ts';
import { apiVersionDescription, kindDescription, metadataDescription } from './descriptions.ts';

interface V2 {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly definitions: Readonly<Record<string, unknown>>;
}

interface V3 {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

function serving(initial: readonly AnyResource[]): {
  get(path: string, options?: Partial<OpenapiRequest>): Promise<OpenapiResponse>;
  serve(resources: readonly AnyResource[]): void;
} {
  let resources = initial;
  const handle = openapiHandler({
    clock: systemClock,
    resources: () => resources,
    table: kubernetesSchema,
    version: 'v1.36.2',
  });
  return {
    async get(path, options = {}) {
      const response = await handle({ path, ...options });
      if (!response) throw new Error(`${path} is not served`);
      return response;
    },
    serve(next) {
      resources = next;
    },
  };
}

const { get } = serving([configMaps, namespaces, roles]);
const json = async <T>(response: Promise<OpenapiResponse>): Promise<T> =>
  JSON.parse((await response).body.toString()) as T;

describe('the OpenAPI v3 index', () => {
  it('lists what is served, each with a digest of its content', async () => {
    const { paths } = await json<{ paths: Record<string, { serverRelativeURL: string }> }>(
      get('/openapi/v3'),
    );
    expect(Object.keys(paths)).toEqual([
      '.well-known/openid-configuration',
      'api',
      'api/v1',
      'apis',
      'apis/rbac.authorization.k8s.io',
      'apis/rbac.authorization.k8s.io/v1',
      'openid/v1/jwks',
      'version',
    ]);
    const url = new URL(paths['api/v1']?.serverRelativeURL ?? '', 'https://server');
    expect(url.pathname).toBe('/openapi/v3/api/v1');
    const response = await get(url.pathname, { query: url.searchParams });
    expect(response.headers['cache-control']).toBe('public, immutable');
    expect(response.headers['etag']).toBe(`"${url.searchParams.get('hash')}"`);
  });

  it('changes with what is served', async () => {
    const server = serving([configMaps]);
    const before = await server.get('/openapi/v3');
    expect((await server.get('/openapi/v3')).headers['etag']).toBe(before.headers['etag']);
    server.serve([configMaps, roles]);
    expect((await server.get('/openapi/v3')).headers['etag']).not.toBe(before.headers['etag']);
    expect((await server.get('/openapi/v3/apis/rbac.authorization.k8s.io/v1')).status).toBe(200);
  });

  it('keeps the documents of groups that did not change', async () => {
    const server = serving([configMaps]);
    const { body } = await server.get('/openapi/v3/api/v1');
    server.serve([configMaps, roles]);
    expect((await server.get('/openapi/v3/api/v1')).body).toBe(body);
    server.serve([configMaps, namespaces, roles]);
    expect((await server.get('/openapi/v3/api/v1')).body).not.toBe(body);
  });
});

describe('an OpenAPI v3 document', () => {
  it('shows the schema of a kind as upstream does', async () => {
    const { schemas } = (await json<V3>(get('/openapi/v3/api/v1'))).components;
    expect(schemas['io.k8s.api.core.v1.ConfigMap']).toEqual({
      type: 'object',
      properties: {
        apiVersion: { type: 'string', description: apiVersionDescription },
        binaryData: { type: 'object', additionalProperties: { type: 'string', format: 'byte' } },
        data: { type: 'object', additionalProperties: { type: 'string' } },
        immutable: { type: 'boolean' },
        kind: { type: 'string', description: kindDescription },
        metadata: {
          description: metadataDescription,
          default: {},
          allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }],
        },
      },
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'ConfigMap' }],
    });
    expect(schemas).not.toHaveProperty(['io.k8s.api.core.v1.Pod']);
  });

  it('describes the metadata that all objects have', async () => {
    const { schemas } = (await json<V3>(get('/openapi/v3/api/v1'))).components;
    const meta = schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'] as {
      readonly properties: Readonly<Record<string, { readonly description?: string }>>;
    };
    const undescribed = Object.entries(meta.properties).filter(([, { description }]) => !description);
    expect(undescribed).toEqual([]);
    expect(meta.properties['creationTimestamp']?.description).toMatch(/^CreationTimestamp is a timestamp/);
  });

  it('has the operations that the resource serves', async () => {
    const { paths } = await json<V3>(get('/openapi/v3/api/v1'));
    const ids = Object.entries(paths)
      .filter(([path]) => path.includes('namespaces') && !path.includes('configmaps'))
      .map(([path, item]) => [path, Object.keys(item).filter((key) => key !== 'parameters')]);
    expect(Object.fromEntries(ids)).toEqual({
      '/api/v1/namespaces': ['get', 'post'],
      '/api/v1/namespaces/{name}': ['get', 'put', 'delete', 'patch'],
      '/api/v1/namespaces/{name}/finalize': ['put'],
      '/api/v1/namespaces/{name}/status': ['get', 'put', 'patch'],
      '/api/v1/watch/namespaces': ['get'],
      '/api/v1/watch/namespaces/{name}': ['get'],
    });
    expect(paths['/api/v1/namespaces/{namespace}/configmaps']?.['post']).toMatchObject({
      operationId: 'createCoreV1NamespacedConfigMap',
      'x-kubernetes-action': 'post',
      'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'ConfigMap' },
    });
  });

  it('refers to nothing that it does not define', async () => {
    for (const name of ['api', 'apis', 'api/v1', 'apis/rbac.authorization.k8s.io/v1']) {
      const { body } = await get(`/openapi/v3/${name}`);
      const { schemas } = (await json<V3>(get(`/openapi/v3/${name}`))).components;
      const used = body.toString().matchAll(/"#\/components\/schemas\/([^"]+)"/g);
      expect([...used].map(([, schema]) => schema).filter((schema) => !(`${schema}` in schemas))).toEqual([]);
    }
  });

  it('is not sent again to who has it', async () => {
    const { etag } = (await get('/openapi/v3/api/v1')).headers;
    expect(await get('/openapi/v3/api/v1', { ifNoneMatch: etag })).toMatchObject({
      status: 304,
      body: Buffer.alloc(0),
    });
  });

  it('is not found for what is not served', async () => {
    expect((await get('/openapi/v3/apis/apps/v1')).status).toBe(404);
  });
});

describe('the OpenAPI v2 document', () => {
  it('says where dryRun is known', async () => {
    const patch = (await json<V2>(get('/openapi/v2'))).paths['/api/v1/namespaces/{name}']?.['patch'];
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({
      group: '',
      version: 'v1',
      kind: 'Namespace',
    });
    expect(patch?.['parameters']).toContainEqual({
      name: 'dryRun',
      in: 'query',
      type: 'string',
      uniqueItems: true,
    });
  });

  it('shows how lists merge', async () => {
    const { definitions } = await json<V2>(get('/openapi/v2'));
    expect(definitions['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']).toMatchObject({
      properties: {
        ownerReferences: {
          type: 'array',
          'x-kubernetes-list-map-keys': ['uid'],
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-patch-merge-key': 'uid',
          'x-kubernetes-patch-strategy': 'merge',
        },
      },
    });
    expect(definitions['io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions']).toMatchObject({
      'x-kubernetes-group-version-kind': [
        { group: '', version: 'v1', kind: 'DeleteOptions' },
        { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'DeleteOptions' },
      ],
    });
  });

  it('is the same in protobuf', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const response = await get('/openapi/v2', { accept });
    expect(response.headers['content-type']).toBe(
      'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    );
    const document = await json<V2>(get('/openapi/v2'));
    const reader = new WireReader(response.body);
    const names: Record<number, string[]> = { 8: [], 9: [] };
    while (!reader.done) {
      const { number, type } = reader.tag();
      if (number === 8 || number === 9) reader.message(() => names[number]?.push(...namesOf(reader)));
      else reader.skip(type);
    }
    expect(names[8]).toEqual(Object.keys(document.paths));
    expect(names[9]).toEqual(Object.keys(document.definitions));
  });
});

/** The names of the `Named…` messages at the cursor. */
function namesOf(reader: WireReader): string[] {
  const names: string[] = [];
  while (!reader.done) {
    reader.tag();
    reader.message(() => {
      while (!reader.done) {
        const { number, type } = reader.tag();
        if (number === 1) names.push(reader.string());
        else reader.skip(type);
      }
    });
  }
  return names;
}
