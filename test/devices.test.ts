import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Event, Node, Pod } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { projectRoot, startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';
import { start, type Running } from './support/run.ts';

const gpu = 'gpu.test.example';
const late = 'late.test.example';
const widget = 'test.example/widget';

/** A pod that shows what a script says and stays. */
function pod(name: string, script: string, spec: object, resources: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      restartPolicy: 'Never',
      containers: [
        {
          name: 'main',
          image: 'kanoe.local/node',
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', `${script}; exec sleep 1000`],
          resources,
        },
      ],
      ...spec,
    },
  };
}

const claiming = (name: string, script: string, claim: object): object =>
  pod(name, script, { resourceClaims: [{ name: 'c', ...claim }] }, { claims: [{ name: 'c' }] });
const holding = (name: string, amount: number, spec: object = {}): object =>
  pod(name, 'echo got $TEST_DEVICES', spec, { limits: { [widget]: String(amount) } });

/** A class with a driver's devices, and the devices of a node. */
function offer(driver: string, nodeName: string, devices: readonly string[]): readonly object[] {
  const name = driver.split('.')[0];
  const requests = [{ name: 'r', exactly: { deviceClassName: name } }];
  return [
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'DeviceClass',
      metadata: { name },
      spec: {
        selectors: [{ cel: { expression: `device.driver == '${driver}'` } }],
        extendedResourceName: `${name}.example/device`,
      },
    },
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name },
      spec: {
        driver,
        nodeName,
        pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
        devices: devices.map((device) => ({ name: device })),
      },
    },
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaimTemplate',
      metadata: { name },
      spec: { spec: { devices: { requests } } },
    },
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name: `${name}-shared` },
      spec: { devices: { requests } },
    },
  ];
}

describeWith({ root: true, kubectl: true, tools: ['crun'] }, 'devices', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  let directory: string;
  let nodeName: string;
  let plugin: Running | undefined;
  const drivers: Running[] = [];

  beforeAll(async () => {
    cluster = await startKanoe();
    kubectl = cluster.kubectl();
    directory = join(cluster.record().dataDirectory, 'nodes/1');
    nodeName = (await kubectl.json<{ items: readonly Node[] }>('get', 'nodes')).items[0]?.metadata.name ?? '';
    await kubectl.apply([...offer(gpu, nodeName, ['d1', 'd2', 'd3']), ...offer(late, nodeName, ['d'])]);
    const hook = { hookName: 'createRuntime', path: '/bin/sh', args: ['sh', '-c', 'cat > /dev/null'] };
    await startDriver(gpu, {
      edits: {
        deviceNodes: [{ path: '/dev/gpu', type: 'c', major: 1, minor: 11, permissions: 'r' }],
        mounts: [{ hostPath: '/etc/passwd', containerPath: '/gpu/file', options: ['ro', 'nosuid', 'bind'] }],
        hooks: [hook],
      },
    });
    plugin = start(process.execPath, [
      join(projectRoot, 'test/support/device-plugin.mjs'),
      directory,
      widget,
      JSON.stringify({
        devices: ['w1', 'w2', 'w3'],
        prefer: true,
        response: { devices: [{ container_path: '/dev/widget', host_path: '/dev/null', permissions: 'rw' }] },
      }),
    ]);
    await plugin.printed(/registered/);
  });
  afterAll(async () => {
    await Promise.all([...(plugin ? [plugin] : []), ...drivers].map((one) => one.stop()));
    await cluster?.stop();
  });

  async function startDriver(name: string, options: object): Promise<void> {
    const file = join(projectRoot, 'test/support/dra-driver.mjs');
    const driver = start(process.execPath, [file, directory, name, JSON.stringify(options)]);
    drivers.push(driver);
    await driver.printed(/listening/);
  }

  const ready = (...names: readonly string[]): Promise<string> =>
    kubectl('wait', '--for=condition=Ready', '--timeout=40s', ...names.map((name) => `pod/${name}`));
  const calls = (name: string): readonly string[] =>
    readFileSync(join(directory, `${name}.calls`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly method: string }).method)
      .filter((method) => /^(Node|Allocate|PreStart)/.test(method));
  const amounts = async (): Promise<readonly (string | undefined)[]> => {
    const { status } = await kubectl.json<Node>('get', 'node', nodeName);
    return [status?.capacity?.[widget], status?.allocatable?.[widget]];
  };
  const waiting = (name: string, message: string): Promise<void> =>
    eventually(async () => {
      const selector = `--field-selector=involvedObject.name=${name},reason=FailedPrepareDynamicResources`;
      const { items } = await kubectl.json<{ items: readonly Event[] }>('get', 'events', selector);
      expect(items.map((event) => event.message)).toContain(
        `Failed to prepare dynamic resources: prepare dynamic resources: ${message}`,
      );
    });

  const healthOf = async (name: string): Promise<unknown> =>
    (await kubectl.json<Pod>('get', 'pod', name)).status?.containerStatuses?.[0]?.allocatedResourcesStatus;

  it('of a claim are prepared by their driver, given to the container, and taken back at its end', async () => {
    const script =
      'echo $TEST_CLAIM; test -c /dev/gpu && test -f /gpu/file && echo there; (: > /dev/gpu) 2> /dev/null || echo refused';
    await kubectl.apply([claiming('user', script, { resourceClaimTemplateName: 'gpu' })]);
    await ready('user');
    const { status } = await kubectl.json<Pod>('get', 'pod', 'user');
    const claimName = status?.resourceClaimStatuses?.[0]?.resourceClaimName;
    await expect.poll(() => kubectl('logs', 'user')).toBe(`${claimName}\nthere\nrefused\n`);
    const uid = (
      await kubectl('get', 'resourceclaim', claimName ?? '', '-o', 'jsonpath={.metadata.uid}')
    ).trim();
    const health = (one: string): object[] => [
      { name: 'claim:c', resources: [{ resourceID: `${gpu}/device=${uid}`, health: one }] },
    ];
    await eventually(async () => expect(await healthOf('user')).toEqual(health('Healthy')));
    drivers[0]?.process.stdin.write('2\n');
    await eventually(async () => expect(await healthOf('user')).toEqual(health('Unhealthy')));
    await kubectl('delete', 'pod', 'user');
    expect(calls(gpu)).toEqual(['NodePrepareResources', 'NodeUnprepareResources']);
    expect(readdirSync(join(directory, 'cdi'))).toEqual([]);
  });

  it('are waited for while their driver is missing, or fails', async () => {
    await kubectl.apply([claiming('early', 'echo $TEST_CLAIM', { resourceClaimName: 'late-shared' })]);
    await waiting('early', `DRA driver ${late} is not registered`);
    await startDriver(late, { versions: ['v1beta1.DRAPlugin'], failing: 'no power' });
    await waiting('early', 'NodePrepareResources failed for ResourceClaim late-shared: no power');
    await drivers.at(-1)?.stop();
    await startDriver(late, { versions: ['v1beta1.DRAPlugin'] });
    await ready('early');
    await expect.poll(() => kubectl('logs', 'early')).toBe('late-shared\n');
    await kubectl('delete', 'pod', 'early');
  });

  it('may be asked for as an extended resource', async () => {
    const limits = { 'gpu.example/device': '1' };
    await kubectl.apply([pod('extended', 'echo $TEST_CLAIM', {}, { limits })]);
    await ready('extended');
    const { status } = await kubectl.json<Pod>('get', 'pod', 'extended');
    const { resourceClaimName } = status?.extendedResourceClaimStatus ?? {};
    await expect.poll(() => kubectl('logs', 'extended')).toBe(`${resourceClaimName}\n`);
    await kubectl('delete', 'pod', 'extended');
  });

  it('of a device plug-in are counted, given out, and refused when there are too few', async () => {
    expect(await amounts()).toEqual(['3', '3']);
    await kubectl.apply([holding('two', 2)]);
    await ready('two');
    await expect.poll(() => kubectl('logs', 'two')).toBe('got w3,w2\n');
    expect(calls('widget')).toEqual(['Allocate', 'PreStartContainer']);
    const resources = ['w3', 'w2'].map((resourceID) => ({ resourceID, health: 'Healthy' }));
    expect(await healthOf('two')).toEqual([{ name: widget, resources }]);
    await kubectl.apply([holding('bound', 2, { nodeName })]);
    await kubectl('wait', 'pod/bound', '--for=jsonpath={.status.phase}=Failed', '--timeout=30s');
    const { status } = await kubectl.json<Pod>('get', 'pod', 'bound');
    expect([status?.reason, status?.message]).toEqual([
      'UnexpectedAdmissionError',
      `Pod was rejected: Allocate failed due to requested number of devices unavailable for ${widget}. Requested: 2, Available: 1, which is unexpected`,
    ]);
  });

  it('are remembered, and prepared again, by an agent whose predecessor was killed', async () => {
    await kubectl.apply([claiming('first', 'echo $TEST_CLAIM', { resourceClaimName: 'gpu-shared' })]);
    await ready('first');
    process.kill(cluster.record().process?.pid ?? 0, 'SIGKILL');
    await cluster.up();
    await plugin?.printed(/registered\n[^]*registered\n/);
    await eventually(async () => expect(await amounts()).toEqual(['3', '3']));
    const before = calls(gpu).length;
    await kubectl.apply([
      claiming('second', 'echo $TEST_CLAIM', { resourceClaimName: 'gpu-shared' }),
      holding('one', 1),
    ]);
    await ready('first', 'second', 'two', 'one');
    await expect.poll(() => kubectl('logs', 'one')).toBe('got w1\n');
    await kubectl('delete', 'pod', 'first', 'two', 'one');
    await kubectl('delete', 'pod', 'second');
    expect(calls(gpu).slice(before)).toEqual(['NodePrepareResources', 'NodeUnprepareResources']);
    expect((await kubectl.json<Pod>('get', 'pod', 'bound')).status?.reason).toBe('UnexpectedAdmissionError');
  });

  it('of a device plug-in are no longer given when they are broken, or it is gone', async () => {
    plugin?.process.stdin.write(`${JSON.stringify({ w1: 'Healthy', w2: 'Unhealthy' })}\n`);
    await eventually(async () => expect(await amounts()).toEqual(['2', '1']));
    await plugin?.stop();
    await eventually(async () => expect(await amounts()).toEqual(['2', '0']));
  });
});
