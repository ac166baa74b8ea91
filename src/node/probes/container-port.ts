import type { Container } from '../../api/core/v1.gen.ts';

/** The number of a port given by number or by the name of a container port; undefined for an unknown name. */
export function containerPort(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((one) => one.name === port)?.containerPort;
  if (named !== undefined) return named;
  return /^\d+$/.test(port) ? Number(port) : undefined;
}
