import type { ConfigMap, Secret } from '../../api/core/v1.gen.ts';
import { describeLabels } from './describe-metadata.ts';
import type { TabText } from './tab-text.ts';

/** A config map with all its data. */
export function describeConfigMap(text: TabText, configMap: ConfigMap): void {
  const { metadata, data = {}, binaryData = {} } = configMap;
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Namespace:', metadata.namespace ?? '');
  describeLabels(text, configMap);
  text.line(0, '');
  text.line(0, 'Data');
  text.line(0, '====');
  for (const name of Object.keys(data).toSorted()) {
    text.line(0, `${name}:`);
    text.line(0, '----');
    for (const line of (data[name] ?? '').split('\n')) text.line(0, line);
    text.line(0, '');
  }
  text.line(0, '');
  text.line(0, 'BinaryData');
  text.line(0, '====');
  for (const name of Object.keys(binaryData).toSorted())
    text.line(0, `${name}: ${byteCount(binaryData[name])} bytes`);
  text.line(0, '');
}

/** A secret without its values: only how long they are. */
export function describeSecret(text: TabText, secret: Secret): void {
  const { metadata, data = {}, type = 'Opaque' } = secret;
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Namespace:', metadata.namespace ?? '');
  describeLabels(text, secret);
  text.line(0, '');
  text.line(0, 'Type:', type);
  text.line(0, '');
  text.line(0, 'Data');
  text.line(0, '====');
  for (const name of Object.keys(data).toSorted()) text.line(0, `${name}:`, `${byteCount(data[name])} bytes`);
}

function byteCount(base64: string | undefined): number {
  return Buffer.from(base64 ?? '', 'base64').length;
}
