import { createServer } from 'node:http';
import { request } from 'node:https';
import type { Server } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionOf, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import type { Connection } from '../src/client/connection.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import type { Outcome } from './support/run.ts';

interface Answer {
  readonly code: number;
  readonly warnings: readonly string[];
  readonly text: string;
}

/** Sends bytes as they are: what no client would write. */
function send(
  connection: Connection,
  { path, body, method = 'POST' }: { path: string; body: string; method?: string },
): Promise<Answer> {
  const { ca, cert, key } = connection;
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, connection.server),
      { method, ca, cert, key, headers: { 'content-type': 'application/json', connection: 'close' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { rawHeaders, statusCode = 0 } = response;
          const warnings = rawHeaders.filter(
            (_, at) => at % 2 === 1 && /^warning$/i.test(rawHeaders[at - 1] ?? ''),
          );
          resolve({ code: statusCode, warnings, text: Buffer.concat(chunks).toString() });
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

const configMaps = '/api/v1/namespaces/default/configmaps';

describeWith({ kubectl: true }, 'bad input', () => {
  let place: Workplace;
  let connection: Connection;
  beforeAll(async () => {
    place = await startKanoe(['--nodes', '0']);
    connection = await connectionOf(await readKubeconfigs([place.kubeconfig]));
    await place.kubectl()('create', 'configmap', 'witness', '--from-literal=a=b');
  });
  afterAll(() => place.stop());

  function write(name: string, text: string): string {
    const file = join(place.directory, name);
    writeFileSync(file, text);
    return file;
  }
  const kanoe = (...args: readonly string[]): Promise<Outcome> => place.kanoe(['apply', ...args]);
  const kubectl = (...args: readonly string[]): Promise<Outcome> => place.kubectl().try(['apply', ...args]);

  describe('in manifests', () => {
    const good = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: first\n---\n';
    it.each<[string, string, RegExp, RegExp]>([
      [
        'broken indentation',
        'apiVersion: v1\nkind: ConfigMap\ndata:\n  x: y\n z: w\n',
        /bad-\w+\.yaml.*line (9|10)/,
        /bad-\w+\.yaml.*line (4|5|9|10)/,
      ],
      [
        'a tab',
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n',
        /bad-\w+\.yaml.*line 9.*tab/,
        /bad-\w+\.yaml.*line \d/,
      ],
      [
        'an unknown field',
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec:\n  replica: 3\n  selector: { matchLabels: { a: b } }\n  template: { metadata: { labels: { a: b } }, spec: { containers: [{ name: c, image: x }] } }\n',
        /bad-\w+\.yaml:10: Deployment "a": unknown field "spec\.replica"/,
        /strict decoding error: unknown field "spec\.replica"/,
      ],
      [
        'a wrong type',
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec:\n  replicas: many\n',
        /bad-\w+\.yaml:\d+: Deployment "a": .*cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
        /cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
      ],
      [
        'a number too large for its field',
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec:\n  replicas: 9007199254740993\n',
        /cannot unmarshal number 9007199254740993 into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
        /cannot unmarshal number 9007199254740993 into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
      ],
      [
        'an unknown kind',
        'apiVersion: v1\nkind: Konfig\nmetadata: { name: a }\n',
        /no matches for kind "Konfig" in version "v1" \(.*bad-\w+\.yaml:5\)/,
        /no matches for kind "Konfig" in version "v1"/,
      ],
      [
        'an unknown group',
        'apiVersion: example.org/v1\nkind: Thing\nmetadata: { name: a }\n',
        /no matches for kind "Thing" in version "example.org\/v1" \(.*bad-\w+\.yaml:5\)/,
        /no matches for kind "Thing" in version "example.org\/v1"/,
      ],
      ['no kind', 'apiVersion: v1\nmetadata: { name: a }\n', /bad-\w+\.yaml:5: .*kind/i, /kind/i],
    ])('%s is refused with its place', async (_, text, byKanoe, byKubectl) => {
      const file = write('bad-one.yaml', good + text);
      const own = await kanoe('-f', file);
      expect(own.stderr).toMatch(byKanoe);
      expect(own.stderr).not.toMatch(/\n {4}at /);
      expect(own.code).toBe(1);
      const theirs = await kubectl('-f', write('bad-two.yaml', text));
      expect(theirs.stderr).toMatch(byKubectl);
      expect(theirs.code).toBe(1);
    });

    it('that end early are refused before anything is sent', async () => {
      const { stderr, code } = await kanoe('-f', write('cut.yaml', `${good}apiVersion: v1\nkind: [`));
      expect(stderr).toMatch(/cut\.yaml.*line \d/);
      expect(code).toBe(1);
      expect((await place.kubectl().try(['get', 'configmap', 'first'])).stderr).toContain('NotFound');
    });

    it('a repeated key is refused with its line, or warned of', async () => {
      const file = write(
        'twice.yaml',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: twice }\ndata:\n  a: "1"\n  a: "2"\n',
      );
      const strict = await kanoe('-f', file);
      expect(strict.stderr).toMatch(/twice\.yaml:6: key "a" already set in map/);
      expect(strict.code).toBe(1);
      const warned = await kanoe('--validate=warn', '-f', file);
      expect(warned.stderr).toMatch(/Warning: .*twice\.yaml:6: key "a" already set in map/);
      expect(warned.code).toBe(0);
    });

    it('an unknown field is let through with a warning when asked to', async () => {
      const file = write(
        'extra.yaml',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\ndatum: { a: b }\n',
      );
      for (const outcome of [
        await kanoe('--validate=warn', '-f', file),
        await kubectl('--validate=warn', '-f', file),
      ]) {
        expect(outcome.stderr).toMatch(/Warning: .*unknown field "datum"/);
        expect(outcome.code).toBe(0);
      }
    });
  });

  describe('in requests', () => {
    const head = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"},"data":{"a":"1"}';
    const strict = `${configMaps}?fieldValidation=Strict`;
    it.each<[string, { path?: string; body: string; code: number; message: RegExp }]>([
      [
        'cut off',
        { body: '{"apiVersion":"v1",', code: 400, message: /unexpected end of JSON input|unexpected EOF/ },
      ],
      [
        'with an unknown field',
        {
          path: strict,
          body: `${head},"datum":1}`,
          code: 400,
          message: /strict decoding error: unknown field \\"datum\\"/,
        },
      ],
      [
        'with a repeated field',
        {
          path: strict,
          body: `${head},"data":{}}`,
          code: 400,
          message: /strict decoding error: duplicate field \\"data\\"/,
        },
      ],
      [
        'of another kind',
        {
          body: '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"raw"}}',
          code: 400,
          message: /Secret in version \\"v1\\" cannot be handled as a ConfigMap/,
        },
      ],
      [
        'with a value of a wrong type',
        {
          body: `${head.replace('"1"', '1')}}`,
          code: 400,
          message: /cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
        },
      ],
      [
        'without a name',
        {
          body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}',
          code: 422,
          message: /name or generateName is required/,
        },
      ],
      [
        'nested without end',
        {
          body: `{"data":${'['.repeat(200_000)}`,
          code: 400,
          message: /exceeded max depth|unexpected end|cannot be handled|cannot unmarshal/,
        },
      ],
      [
        'larger than a request may be',
        {
          body: `${head.slice(0, -2)}${'x'.repeat(4 << 20)}"}}`,
          code: 413,
          message: /[Rr]equest entity too large: limit is 3145728/,
        },
      ],
    ])('one %s is answered with a Status', async (_, { path = configMaps, body, code, message }) => {
      const answer = await send(connection, { path, body });
      expect(answer.text).toMatch(message);
      expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', status: 'Failure', code });
      expect(answer.code).toBe(code);
      expect((await place.kubectl().try(['get', 'configmap', 'raw'])).stderr).toContain('NotFound');
    });

    it('one with unknown and repeated fields is warned of when nothing is said', async () => {
      const { code, warnings } = await send(connection, {
        path: configMaps,
        body: head.replace('"raw"', '"warned"') + ',"data":{"a":"2"},"datum":1}',
      });
      expect(code).toBe(201);
      expect(warnings.join('\n')).toMatch(/unknown field \\"datum\\"/);
      expect(warnings.join('\n')).toMatch(/duplicate field \\"data\\"/);
    });

    it('__proto__ is a key like any other', async () => {
      const data = '{"__proto__":"a","constructor":"b","toString":"c"}';
      const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto"},"data":${data}}`;
      const { code } = await send(connection, { path: configMaps, body });
      expect(code).toBe(201);
      const { text } = await send(connection, { path: `${configMaps}/proto`, body: '', method: 'GET' });
      for (const part of ['"__proto__":"a"', '"constructor":"b"', '"toString":"c"'])
        expect(text).toContain(part);
      const file = write(
        'proto.yaml',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: proto }\ndata: { __proto__: d, e: f }\n',
      );
      for (const apply of [kanoe, kubectl]) expect((await apply('-f', file)).code).toBe(0);
      expect(await place.kubectl()('get', 'configmap', 'proto', '-o', 'jsonpath={.data.__proto__}')).toBe(
        'd',
      );
      const annotated = body.replace('"name":"proto"', '"name":"annotated","annotations":{"__proto__":"x"}');
      const refused = await send(connection, { path: configMaps, body: annotated });
      expect(refused.code).toBe(422);
      expect(refused.text).toContain('metadata.annotations: Invalid value: \\"__proto__\\"');
    });

    it('an integer beyond 2^53 keeps its value', async () => {
      const grace = '9007199254740993';
      const text = `apiVersion: v1\nkind: Pod\nmetadata: { name: N }\nspec:\n  terminationGracePeriodSeconds: ${grace}\n  containers: [{ name: c, image: x }]\n`;
      const path = 'jsonpath={.spec.terminationGracePeriodSeconds}';
      for (const [name, apply] of [
        ['ours', kanoe],
        ['theirs', kubectl],
      ] as const) {
        expect((await apply('-f', write(`${name}.yaml`, text.replace('N', name)))).code).toBe(0);
        const { text: stored } = await send(connection, {
          path: `/api/v1/namespaces/default/pods/${name}`,
          body: '',
          method: 'GET',
        });
        expect(stored).toContain(`"terminationGracePeriodSeconds":${grace}`);
        expect(await place.kubectl()('get', 'pod', name, '-o', path)).toBe(grace);
        expect((await place.kanoe(['get', 'pod', name, '-o', 'json'])).stdout).toContain(grace);
      }
    });
  });

  it('loses nothing', async () => {
    expect(await place.kubectl()('get', 'configmap', 'witness', '-o', 'jsonpath={.data.a}')).toBe('b');
  });
});

describeWith({ root: true, kubectl: true }, 'pods that cannot run', () => {
  let place: Workplace;
  let registry: Server;
  let address: string;
  beforeAll(async () => {
    registry = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((done) => registry.listen({ host: '127.0.0.1', port: 0 }, done));
    const bound = registry.address();
    address = `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
    place = await startKanoe();
  });
  afterAll(async () => {
    registry.close();
    await place.stop();
  });

  async function run(name: string, image: string, command: readonly string[]): Promise<void> {
    await place.kubectl().apply([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { containers: [{ name: 'main', image, command }] },
      },
    ]);
  }
  const eventsOf = (name: string): Promise<string> =>
    place.kubectl()(
      'get',
      'events',
      `--field-selector=involvedObject.name=${name}`,
      '--output=jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
    );
  const waiting = 'jsonpath={.status.containerStatuses[0].state.waiting.reason}';
  const ended = 'jsonpath={.status.containerStatuses[0].lastState.terminated.reason}';

  it('for want of their image say ErrImagePull, then ImagePullBackOff, and why', async () => {
    const image = `${address}/team/missing:1`;
    await run('imageless', image, ['x']);
    const seen = new Set<string>();
    await eventually(async () => {
      seen.add(await place.kubectl()('get', 'pod', 'imageless', '-o', waiting));
      expect([...seen]).toEqual(expect.arrayContaining(['ErrImagePull', 'ImagePullBackOff']));
    });
    const events = await eventsOf('imageless');
    expect(events).toContain(`Failed: Failed to pull image "${image}": `);
    expect(events).toMatch(new RegExp(`${image}.*not found`));
    expect(events).toContain('Failed: Error: ErrImagePull');
    expect(events).toContain('Failed: Error: ImagePullBackOff');
    expect(events).toContain(`BackOff: Back-off pulling image "${image}"`);
  });

  it('for want of their command say so', async () => {
    await run('commandless', 'kanoe.local/node', ['nosuch']);
    await eventually(async () => {
      expect(await eventsOf('commandless')).toMatch(
        /Failed: .*"nosuch": executable file not found in \$PATH/,
      );
      expect(await place.kubectl()('get', 'pod', 'commandless', '-o', waiting)).toMatch(
        /^(CrashLoopBackOff|RunContainerError)$/,
      );
      expect(await place.kubectl()('get', 'pod', 'commandless', '-o', ended)).toMatch(
        /^(StartError|ContainerCannotRun)$/,
      );
    });
  });

  it('for want of a right image name say so', async () => {
    await run('nameless', 'Not_A/Valid:::name', ['x']);
    await eventually(async () =>
      expect(await place.kubectl()('get', 'pod', 'nameless', '-o', waiting)).toBe('InvalidImageName'),
    );
    expect(await eventsOf('nameless')).toMatch(/InspectFailed: .*invalid reference format/);
  });
});
