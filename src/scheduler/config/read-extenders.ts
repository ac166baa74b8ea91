import { isExtendedResource } from '../../api/core/pod-spec/resource-names.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import type { ExtenderSettings, ExtenderTls } from '../extenders/extender-settings.ts';
import type { ConfigReader } from './config-reader.ts';

/** The extenders of a configuration, and what they take off the plug-ins' hands. */
export interface ReadExtenders {
  readonly extenders: readonly ExtenderSettings[];
  /** Resources that the plug-ins are not to count (`ignoredByScheduler`). */
  readonly ignoredResources: readonly string[];
}

/** Reads a file that the configuration names, as PEM. */
export type ReadPem = (file: string) => string;

const defaultTimeoutMs = 5000;

/** Reads `extenders`; defaults and limits are upstream's. */
export function readExtenders(reader: ConfigReader, readPem: ReadPem): ReadExtenders {
  const ignoredResources: string[] = [];
  const managed = new Set<string>();
  const extenders = (reader.objects('extenders') ?? []).map((one): ExtenderSettings => {
    const managedResources = (one.objects('managedResources') ?? []).map((resource) => {
      const name = resource.text('name') ?? '';
      if (resource.flag('ignoredByScheduler')) ignoredResources.push(name);
      resource.end();
      checkResource(resource, name);
      if (managed.has(name))
        resource.problem('name', `Invalid value: "${name}": duplicate extender managed resource name`);
      managed.add(name);
      return name;
    });
    const tls = readTls(one, readPem);
    const settings = {
      urlPrefix: readUrl(one),
      filterVerb: one.text('filterVerb') ?? '',
      preemptVerb: one.text('preemptVerb') ?? '',
      prioritizeVerb: one.text('prioritizeVerb') ?? '',
      bindVerb: one.text('bindVerb') ?? '',
      weight: one.whole('weight') ?? 0,
      timeoutMs: one.duration('httpTimeout') || defaultTimeoutMs,
      nodeCacheCapable: one.flag('nodeCacheCapable') ?? false,
      managedResources,
      ignorable: one.flag('ignorable') ?? false,
      ...(tls && { tls }),
    };
    one.end();
    if (settings.prioritizeVerb !== '' && settings.weight <= 0)
      one.problem('weight', `Invalid value: ${settings.weight}: must have a positive weight applied to it`);
    return settings;
  });
  const binders = extenders.filter(({ bindVerb }) => bindVerb !== '').length;
  if (binders > 1)
    reader.problem(
      'extenders',
      `Invalid value: "found ${binders} extenders implementing bind": only one extender can implement bind`,
    );
  return { extenders, ignoredResources };
}

function readUrl(reader: ConfigReader): string {
  const text = reader.text('urlPrefix') ?? '';
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text))
    reader.problem('urlPrefix', `Invalid value: "${text}": must be an http or https URL`);
  return text;
}

function checkResource(reader: ConfigReader, name: string): void {
  const errors = qualifiedNameErrors(name);
  for (const error of errors) reader.problem('name', `Invalid value: "${name}": ${error}`);
  if (errors.length === 0 && !isExtendedResource(name))
    reader.problem('name', `Invalid value: "${name}": is an invalid extended resource name`);
}

/** Without an authority, `enableHTTPS` means that any certificate will do. */
function readTls(extender: ConfigReader, readPem: ReadPem): ExtenderTls | undefined {
  const enableHttps = extender.flag('enableHTTPS') ?? false;
  const reader = extender.object('tlsConfig');
  if (!reader) return enableHttps ? { insecure: true } : undefined;
  const ca = readCertificate(reader, 'ca', readPem);
  const cert = readCertificate(reader, 'cert', readPem);
  const key = readCertificate(reader, 'key', readPem);
  const serverName = reader.text('serverName');
  const insecure = reader.flag('insecure') ?? false;
  reader.end();
  if (ca !== undefined && insecure)
    reader.problem('insecure', 'specifying a root certificates file with the insecure flag is not allowed');
  if ((cert === undefined) !== (key === undefined))
    reader.problem('certData', 'a certificate and its key must be given together');
  return {
    insecure: insecure || (enableHttps && ca === undefined),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName ? { serverName } : {}),
  };
}

/** `…Data`, PEM in base64, goes before `…File`. */
function readCertificate(
  reader: ConfigReader,
  name: 'ca' | 'cert' | 'key',
  readPem: ReadPem,
): string | undefined {
  const data = reader.text(`${name}Data`);
  const file = reader.text(`${name}File`);
  if (data) return Buffer.from(data, 'base64').toString();
  if (!file) return undefined;
  try {
    return readPem(file);
  } catch (error) {
    reader.problem(`${name}File`, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
