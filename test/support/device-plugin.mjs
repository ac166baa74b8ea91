// A device plug-in for tests: `node device-plugin.mjs NODE_DIRECTORY RESOURCE [OPTIONS]`. Registers at the node's kubelet.sock, again
// whenever that is made anew, and writes every call as a line of JSON to NODE_DIRECTORY/NAME.calls (NAME is the end of RESOURCE).
// OPTIONS is JSON: { devices: ["a", "b"], prefer: true, response: {…} }; each line of standard input is JSON of the devices from then
// on: { "a": "Healthy", "b": "Unhealthy" }.
import { appendFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [directory = '', resource = '', settings = '{}'] = process.argv.slice(2);
const { devices: ids = ['a', 'b'], prefer = false, response = {} } = JSON.parse(settings);
const name = resource.split('/').at(-1);
const calls = join(directory, `${name}.calls`);
const folder = join(directory, 'device-plugins');

const proto = `syntax = "proto3";
package v1beta1;
message Empty {}
message DevicePluginOptions { bool pre_start_required = 1; bool get_preferred_allocation_available = 2; }
message RegisterRequest { string version = 1; string endpoint = 2; string resource_name = 3; DevicePluginOptions options = 4; }
message Device { string ID = 1; string health = 2; }
message ListAndWatchResponse { repeated Device devices = 1; }
message ContainerPreferredAllocationRequest { repeated string available_deviceIDs = 1; repeated string must_include_deviceIDs = 2; int32 allocation_size = 3; }
message PreferredAllocationRequest { repeated ContainerPreferredAllocationRequest container_requests = 1; }
message ContainerPreferredAllocationResponse { repeated string deviceIDs = 1; }
message PreferredAllocationResponse { repeated ContainerPreferredAllocationResponse container_responses = 1; }
message ContainerAllocateRequest { repeated string devices_ids = 1; }
message AllocateRequest { repeated ContainerAllocateRequest container_requests = 1; }
message CDIDevice { string name = 1; }
message Mount { string container_path = 1; string host_path = 2; bool read_only = 3; }
message DeviceSpec { string container_path = 1; string host_path = 2; string permissions = 3; }
message ContainerAllocateResponse { map<string, string> envs = 1; repeated Mount mounts = 2; repeated DeviceSpec devices = 3; map<string, string> annotations = 4; repeated CDIDevice cdi_devices = 5; }
message AllocateResponse { repeated ContainerAllocateResponse container_responses = 1; }
message PreStartContainerRequest { repeated string devices_ids = 1; }
service Registration { rpc Register(RegisterRequest) returns (Empty); }
service DevicePlugin {
  rpc GetDevicePluginOptions(Empty) returns (DevicePluginOptions);
  rpc ListAndWatch(Empty) returns (stream ListAndWatchResponse);
  rpc GetPreferredAllocation(PreferredAllocationRequest) returns (PreferredAllocationResponse);
  rpc Allocate(AllocateRequest) returns (AllocateResponse);
  rpc PreStartContainer(PreStartContainerRequest) returns (Empty);
}`;
const source = join(directory, `${name}.proto`);
writeFileSync(source, proto);
const definition = loadSync(source, { keepCase: true, defaults: true });

let health = Object.fromEntries(ids.map((id) => [id, 'Healthy']));
const listeners = new Set();
const listed = () => ({ devices: Object.entries(health).map(([ID, one]) => ({ ID, health: one })) });
const options = { pre_start_required: true, get_preferred_allocation_available: prefer };
const unary = (method, act) => (call, answer) => {
  appendFileSync(calls, `${JSON.stringify({ method, ...call.request })}\n`);
  answer(null, act(call.request));
};

const server = new Server();
server.addService(definition['v1beta1.DevicePlugin'], {
  GetDevicePluginOptions: unary('GetDevicePluginOptions', () => options),
  ListAndWatch(call) {
    listeners.add(call);
    call.on('cancelled', () => listeners.delete(call));
    call.write(listed());
  },
  // The last ones first.
  GetPreferredAllocation: unary('GetPreferredAllocation', ({ container_requests: requests }) => ({
    container_responses: requests.map((one) => ({
      deviceIDs: one.available_deviceIDs.toSorted().toReversed().slice(0, one.allocation_size),
    })),
  })),
  Allocate: unary('Allocate', ({ container_requests: requests }) => ({
    container_responses: requests.map((one) => ({
      ...response,
      envs: { TEST_DEVICES: one.devices_ids.join(), ...response.envs },
    })),
  })),
  PreStartContainer: unary('PreStartContainer', () => ({})),
});

const kubelet = join(folder, 'kubelet.sock');
const sockets = [];
let registered = 0;

/** Each time another socket: an agent that starts removes all that are there. */
async function serve() {
  const endpoint = `${name}-${sockets.length}.sock`;
  sockets.push(join(folder, endpoint));
  await new Promise((done, fail) =>
    server.bindAsync(`unix://${join(folder, endpoint)}`, ServerCredentials.createInsecure(), (error) =>
      error ? fail(error) : done(),
    ),
  );
  return endpoint;
}

async function register() {
  const found = statSync(kubelet, { throwIfNoEntry: false });
  if (!found || registered === found.ino + found.ctimeMs) return;
  registered = found.ino + found.ctimeMs;
  const endpoint = await serve();
  const { path, requestSerialize, responseDeserialize } = definition['v1beta1.Registration'].Register;
  const client = new Client(`unix://${kubelet}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const request = { version: 'v1beta1', endpoint, resource_name: resource, options };
  client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    new Metadata(),
    {},
    (error) => {
      console.log(error ? `refused: ${error.details}` : 'registered');
      client.close();
    },
  );
}

createInterface({ input: process.stdin }).on('line', (line) => {
  health = JSON.parse(line);
  for (const call of listeners) call.write(listed());
});
watch(folder, () => void register());
await register();
process.on('SIGTERM', () => {
  for (const socket of sockets) rmSync(socket, { force: true });
  process.exit(0);
});
