// A CSI driver for tests: `node csi-driver.mjs NODE_DIRECTORY NAME [OPTIONS]`. Registers by a socket in the node's
// plugins_registry, keeps each volume as a folder, and writes every call as a line of JSON to NODE_DIRECTORY/NAME.calls.
// OPTIONS is JSON: { abilities: [1, 2, 3], topology: {…} }.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [directory = '', name = '', settings = '{}'] = process.argv.slice(2);
const { abilities = [1, 2, 3], topology = {} } = JSON.parse(settings);
const calls = join(directory, `${name}.calls`);
const data = join(directory, `${name}.data`);
const plugin = join(directory, 'plugins', name);

const proto = `syntax = "proto3";
package csi.v1;
message Empty {}
message Topology { map<string, string> segments = 1; }
message NodeGetInfoResponse { string node_id = 1; int64 max_volumes_per_node = 2; Topology accessible_topology = 3; }
message NodeServiceCapability { message RPC { int32 type = 1; } RPC rpc = 1; }
message NodeGetCapabilitiesResponse { repeated NodeServiceCapability capabilities = 1; }
message VolumeCapability {
  message Mount { string fs_type = 1; repeated string mount_flags = 2; string volume_mount_group = 3; }
  message AccessMode { int32 mode = 1; }
  oneof access_type { Empty block = 1; Mount mount = 2; }
  AccessMode access_mode = 3;
}
message NodeStageVolumeRequest { string volume_id = 1; map<string, string> publish_context = 2; string staging_target_path = 3;
  VolumeCapability volume_capability = 4; map<string, string> secrets = 5; map<string, string> volume_context = 6; }
message NodeUnstageVolumeRequest { string volume_id = 1; string staging_target_path = 2; }
message NodePublishVolumeRequest { string volume_id = 1; map<string, string> publish_context = 2; string staging_target_path = 3;
  string target_path = 4; VolumeCapability volume_capability = 5; bool readonly = 6; map<string, string> secrets = 7;
  map<string, string> volume_context = 8; }
message NodeUnpublishVolumeRequest { string volume_id = 1; string target_path = 2; }
message NodeGetVolumeStatsRequest { string volume_id = 1; string volume_path = 2; string staging_target_path = 3; }
message VolumeUsage { int64 available = 1; int64 total = 2; int64 used = 3; int32 unit = 4; }
message NodeGetVolumeStatsResponse { repeated VolumeUsage usage = 1; }
message CapacityRange { int64 required_bytes = 1; int64 limit_bytes = 2; }
message NodeExpandVolumeRequest { string volume_id = 1; string volume_path = 2; CapacityRange capacity_range = 3;
  string staging_target_path = 4; VolumeCapability volume_capability = 5; map<string, string> secrets = 6; }
message NodeExpandVolumeResponse { int64 capacity_bytes = 1; }
service Node {
  rpc NodeGetInfo(Empty) returns (NodeGetInfoResponse);
  rpc NodeGetCapabilities(Empty) returns (NodeGetCapabilitiesResponse);
  rpc NodeStageVolume(NodeStageVolumeRequest) returns (Empty);
  rpc NodeUnstageVolume(NodeUnstageVolumeRequest) returns (Empty);
  rpc NodePublishVolume(NodePublishVolumeRequest) returns (Empty);
  rpc NodeUnpublishVolume(NodeUnpublishVolumeRequest) returns (Empty);
  rpc NodeGetVolumeStats(NodeGetVolumeStatsRequest) returns (NodeGetVolumeStatsResponse);
  rpc NodeExpandVolume(NodeExpandVolumeRequest) returns (NodeExpandVolumeResponse);
}`;
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
const note = (method, request) => appendFileSync(calls, `${JSON.stringify({ method, ...request })}\n`);
const answering = (method, act) => (call, answer) => {
  note(method, call.request);
  try {
    answer(null, act(call.request) ?? {});
  } catch (error) {
    answer({ code: 13, details: String(error.message) });
  }
};
const volume = (id) => {
  mkdirSync(join(data, id), { recursive: true });
  return join(data, id);
};
const bind = (from, to) => {
  mkdirSync(to, { recursive: true });
  execFileSync('mount', ['--bind', from, to]);
};
const unbind = (path) => {
  try {
    execFileSync('umount', [path], { stdio: 'ignore' });
    rmdirSync(path);
  } catch {
    // Nothing was mounted: these calls may come twice.
  }
};

const node = {
  NodeGetInfo: () => ({
    node_id: `${name}-node`,
    max_volumes_per_node: 7,
    accessible_topology: { segments: topology },
  }),
  NodeGetCapabilities: () => ({ capabilities: abilities.map((type) => ({ rpc: { type } })) }),
  NodeStageVolume: ({ volume_id, staging_target_path }) => bind(volume(volume_id), staging_target_path),
  NodeUnstageVolume: ({ staging_target_path }) => unbind(staging_target_path),
  NodePublishVolume({ volume_id, staging_target_path, target_path, volume_context }) {
    writeFileSync(join(volume(volume_id), 'context.json'), JSON.stringify(volume_context));
    unbind(target_path);
    bind(staging_target_path || volume(volume_id), target_path);
  },
  NodeUnpublishVolume: ({ target_path }) => unbind(target_path),
  NodeGetVolumeStats: () => ({ usage: [{ available: 60, total: 100, used: 40, unit: 1 }] }),
  NodeExpandVolume: ({ capacity_range }) => ({ capacity_bytes: capacity_range.required_bytes }),
};

const listen = async (socket, definition, handlers) => {
  rmSync(socket, { force: true });
  const server = new Server();
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

mkdirSync(plugin, { recursive: true });
await listen(join(plugin, 'csi.sock'), services(proto)['csi.v1.Node'], node);
const registrar = join(directory, 'plugins_registry', `${name}-reg.sock`);
await listen(registrar, services(registration)['pluginregistration.Registration'], {
  GetInfo: () => ({
    type: 'CSIPlugin',
    name,
    endpoint: join(plugin, 'csi.sock'),
    supported_versions: ['1.0.0'],
  }),
  NotifyRegistrationStatus: () => ({}),
});
process.on('SIGTERM', () => {
  rmSync(registrar, { force: true });
  process.exit(0);
});
console.log('listening');
