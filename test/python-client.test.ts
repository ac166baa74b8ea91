import { afterAll, beforeAll, expect, it } from 'vitest';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import { must } from './support/run.ts';

const preamble = `
import json, sys
from kubernetes import client, config, watch
from kubernetes.stream import stream
config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
`;

describeWith({ root: true, kubectl: true, pythonClient: true }, "Python's client", () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await startKanoe();
  });
  afterAll(() => place.stop());

  const python = async (program: string): Promise<unknown> =>
    JSON.parse(await must('/usr/bin/python3', ['-c', preamble + program, place.kubeconfig]));

  it('creates, reads, patches, lists and deletes', async () => {
    const result = await python(`
made = core.create_namespaced_config_map('default', {'metadata': {'name': 'py', 'labels': {'a': 'b'}}, 'data': {'k': '1'}})
core.patch_namespaced_config_map('py', 'default', {'data': {'l': '2'}})
listed = core.list_namespaced_config_map('default', label_selector='a=b')
read = core.read_namespaced_config_map('py', 'default')
core.delete_namespaced_config_map('py', 'default')
try:
    core.read_namespaced_config_map('py', 'default')
    gone = None
except client.ApiException as error:
    gone = json.loads(error.body)['reason']
print(json.dumps([len(made.metadata.uid), [one.metadata.name for one in listed.items], read.data, gone]))
`);
    expect(result).toEqual([36, ['py'], { k: '1', l: '2' }, 'NotFound']);
  });

  it('watches a pod until it runs, executes in it and reads its log', async () => {
    const result = await python(`
core.create_namespaced_pod('default', {'metadata': {'name': 'py'}, 'spec': {'terminationGracePeriodSeconds': 1, 'containers': [
    {'name': 'main', 'image': 'kanoe.local/node', 'command': ['node', '-e', 'console.log("hello"); setInterval(() => {}, 1000)']}]}})
for event in watch.Watch().stream(core.list_namespaced_pod, 'default', field_selector='metadata.name=py', timeout_seconds=60):
    if event['object'].status.phase == 'Running':
        break
answer = stream(core.connect_get_namespaced_pod_exec, 'py', 'default', command=['node', '-p', '6 * 7'], stdout=True, stderr=True, stdin=False, tty=False)
log = core.read_namespaced_pod_log('py', 'default')
core.delete_namespaced_pod('py', 'default')
print(json.dumps([answer.strip(), log.strip()]))
`);
    expect(result).toEqual(['42', 'hello']);
  });

  it('works with custom resources', async () => {
    const result = await python(`
import time
extensions, custom = client.ApiextensionsV1Api(), client.CustomObjectsApi()
extensions.create_custom_resource_definition({'metadata': {'name': 'boats.example.test'}, 'spec': {'group': 'example.test', 'scope': 'Namespaced',
    'names': {'plural': 'boats', 'kind': 'Boat'}, 'versions': [{'name': 'v1', 'served': True, 'storage': True, 'schema': {'openAPIV3Schema':
    {'type': 'object', 'properties': {'spec': {'type': 'object', 'properties': {'seats': {'type': 'integer', 'default': 2}}}}}}}]}})
for _ in range(100):
    conditions = extensions.read_custom_resource_definition('boats.example.test').status.conditions or []
    if any(one.type == 'Established' and one.status == 'True' for one in conditions):
        break
    time.sleep(0.05)
made = custom.create_namespaced_custom_object('example.test', 'v1', 'default', 'boats', {'apiVersion': 'example.test/v1', 'kind': 'Boat', 'metadata': {'name': 'a'}, 'spec': {}})
listed = custom.list_namespaced_custom_object('example.test', 'v1', 'default', 'boats')
extensions.delete_custom_resource_definition('boats.example.test')
print(json.dumps([made['spec'], len(listed['items'])]))
`);
    expect(result).toEqual([{ seats: 2 }, 1]);
  });
});
