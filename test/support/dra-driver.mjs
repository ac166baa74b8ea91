// A driver for devices (dynamic resource allocation) for tests: `node dra-driver.mjs NODE_DIRECTORY NAME [OPTIONS]`. Registers by a
// socket in the node's plugins_registry, writes what a claim's devices are into a CDI file of the node, and every call as a line of
// JSON to NODE_DIRECTORY/NAME.calls. OPTIONS is JSON: { versions: ["v1.DRAPlugin"], failing: "why", edits: {…} }.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [directory = '', name = '', settings = '{}'] = process.argv.slice(2);
const { versions = ['v1.DRAPlugin', 'v1beta1.DRAPlugin'], failing = '', edits = {} } = JSON.parse(settings);
const calls = join(directory, `${name}.calls`);
const plugin = join(directory, 'plugins', name);
const cdi = join(directory, 'cdi');
const version = versions[0].split('.')[0];

const proto = `syntax = "proto3";
package k8s.io.kubelet.pkg.apis.dra.${version};
message Claim { string namespace = 1; string uid = 2; string name = 3; }
message Device { repeated string request_names = 1; string pool_name = 2; string device_name = 3; repeated string cdi_device_ids = 4; }
message NodePrepareResourcesRequest { repeated Claim claims = 1; }
message NodePrepareResourceResponse { repeated Device devices = 1; string error = 2; }
message NodePrepareResourcesResponse { map<string, NodePrepareResourceResponse> claims = 1; }
message NodeUnprepareResourcesRequest { repeated Claim claims = 1; }
message NodeUnprepareResourceResponse { string error = 1; }
message NodeUnprepareResourcesResponse { map<string, NodeUnprepareResourceResponse> claims = 1; }
service DRAPlugin {
  rpc NodePrepareResources(NodePrepareResourcesRequest) returns (NodePrepareResourcesResponse);
  rpc NodeUnprepareResources(NodeUnprepareResourcesRequest) returns (NodeUnprepareResourcesResponse);
}`;
const healthProto = `syntax = "proto3";
package v1alpha1;
message Empty {}
message DeviceIdentifier { string pool_name = 1; string device_name = 2; }
message DeviceHealth { DeviceIdentifier device = 1; int32 health = 2; int64 last_updated_time = 3; }
message NodeWatchResourcesResponse { repeated DeviceHealth devices = 1; }
service DRAResourceHealth { rpc NodeWatchResources(Empty) returns (stream NodeWatchResourcesResponse); }`;
const registration = `syntax = "proto3";
package pluginregistration;
message InfoRequest {}
message PluginInfo { string type = 1; string name = 2; string endpoint = 3; repeated string supported_versions = 4; }
message RegistrationStatus { bool plugin_registered = 1; string error = 2; }
message RegistrationStatusResponse {}
service Registration {
  rpc GetInfo(InfoRequest) returns (PluginInfo);
  rpc NotifyRegistrationStatus(RegistrationStatus) returns (RegistrationStatusResponse);
}`;

const services = (source) => {
  const file = join(plugin, 'protocol.proto');
  writeFileSync(file, source);
  return loadSync(file, { keepCase: true, longs: Number, defaults: true });
};
const answering = (method, act) => (call, answer) => {
  appendFileSync(calls, `${JSON.stringify({ method, ...call.request })}\n`);
  answer(null, act(call.request));
};
const file = (uid) => join(cdi, `${name}-${uid}.json`);
const eachClaim = (claims, act) => ({
  claims: Object.fromEntries(claims.map((claim) => [claim.uid, act(claim)])),
});

/** The claim has one device, which tells a container who it is. */
const prepare = (claim) => {
  if (failing) return { error: failing };
  const env = [`TEST_CLAIM=${claim.name}`, ...(edits.env ?? [])];
  writeFileSync(
    file(claim.uid),
    JSON.stringify({
      cdiVersion: '0.6.0',
      kind: `${name}/device`,
      devices: [{ name: claim.uid, containerEdits: { ...edits, env } }],
    }),
  );
  return {
    devices: [{ pool_name: 'pool', device_name: 'd', cdi_device_ids: [`${name}/device=${claim.uid}`] }],
  };
};
const unprepare = ({ uid }) => {
  rmSync(file(uid), { force: true });
  return {};
};

const listen = async (socket, definition, handlers, server = new Server()) => {
  rmSync(socket, { force: true });
  server.addService(
    definition,
    Object.fromEntries(Object.entries(handlers).map(([method, act]) => [method, answering(method, act)])),
  );
  await new Promise((done, fail) =>
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? fail(error) : done(),
    ),
  );
};

/** Each line of standard input is the number of the devices' health from then on. */
let health = 1;
const listeners = new Set();
const told = () => ({ devices: [{ device: { pool_name: 'pool', device_name: 'd' }, health }] });
createInterface({ input: process.stdin }).on('line', (line) => {
  health = Number(line);
  for (const call of listeners) call.write(told());
});

for (const folder of [plugin, cdi]) mkdirSync(folder, { recursive: true });
const server = new Server();
server.addService(services(healthProto)['v1alpha1.DRAResourceHealth'], {
  NodeWatchResources(call) {
    listeners.add(call);
    call.on('cancelled', () => listeners.delete(call));
    call.write(told());
  },
});
const calledFor = {
  NodePrepareResources: ({ claims }) => eachClaim(claims, prepare),
  NodeUnprepareResources: ({ claims }) => eachClaim(claims, unprepare),
};
await listen(
  join(plugin, 'dra.sock'),
  services(proto)[`k8s.io.kubelet.pkg.apis.dra.${version}.DRAPlugin`],
  calledFor,
  server,
);
const registrar = join(directory, 'plugins_registry', `${name}-reg.sock`);
await listen(registrar, services(registration)['pluginregistration.Registration'], {
  GetInfo: () => ({
    type: 'DRAPlugin',
    name,
    endpoint: join(plugin, 'dra.sock'),
    supported_versions: versions,
  }),
  NotifyRegistrationStatus: () => ({}),
});
process.on('SIGTERM', () => {
  rmSync(registrar, { force: true });
  process.exit(0);
});
console.log('listening');
