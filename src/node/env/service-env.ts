import type { Service } from '../../api/core/v1.gen.ts';

export type EnvEntry = readonly [name: string, value: string];

/** `REDIS_MASTER_SERVICE_HOST` and its kin for services that have a cluster address, Docker-link variables included. */
export function serviceEnv(services: readonly Service[]): readonly EnvEntry[] {
  return services.flatMap((service) => entriesOf(service));
}

/** The services whose variables a pod gets: those of its namespace when it wants links, always the API's own. */
export function servicesForPod(
  all: readonly Service[],
  pod: { readonly namespace: string; readonly links: 'own-namespace' | 'api-only' },
): readonly Service[] {
  const api = all.filter(
    ({ metadata }) => metadata.namespace === 'default' && metadata.name === 'kubernetes',
  );
  const own =
    pod.links === 'api-only' ? [] : all.filter(({ metadata }) => metadata.namespace === pod.namespace);
  return [...own, ...api.filter((service) => !own.includes(service))];
}

function entriesOf(service: Service): readonly EnvEntry[] {
  const ip = service.spec?.clusterIP;
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (ip === undefined || ip === '' || ip === 'None' || first === undefined) return [];
  const prefix = variableName(service.metadata.name ?? '');
  const host = ip.includes(':') ? `[${ip}]` : ip;
  return [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports.flatMap((port): readonly EnvEntry[] =>
      port.name === undefined || port.name === ''
        ? []
        : [[`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]],
    ),
    ...ports.flatMap((port, position): readonly EnvEntry[] => {
      const protocol = port.protocol ?? 'TCP';
      const url = `${protocol.toLowerCase()}://${host}:${port.port}`;
      const link = `${prefix}_PORT_${port.port}_${protocol}`;
      return [
        ...(position === 0 ? [[`${prefix}_PORT`, url] as const] : []),
        [link, url],
        [`${link}_PROTO`, protocol.toLowerCase()],
        [`${link}_PORT`, String(port.port)],
        [`${link}_ADDR`, ip],
      ];
    }),
  ];
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
