import type { Secret } from '../../api/core/v1.gen.ts';
import type { RegistryCredentials } from '../image-service.ts';

/** The credentials inside an image pull secret (`kubernetes.io/dockerconfigjson` or `dockercfg`); none when malformed. */
export function pullCredentials(secret: Secret): readonly RegistryCredentials[] {
  const modern = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  const parsed = parseBase64Json(modern ?? legacy);
  const auths = modern === undefined ? parsed : asRecord(parsed)?.['auths'];
  return Object.entries(asRecord(auths) ?? {}).flatMap(([server, entry]) => {
    const login = loginOf(asRecord(entry));
    return login ? [{ registry: hostOf(server), ...login }] : [];
  });
}

function parseBase64Json(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function loginOf(
  entry: Readonly<Record<string, unknown>> | undefined,
): { readonly username: string; readonly password: string } | undefined {
  if (!entry) return undefined;
  const { username, password, auth } = entry;
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  if (typeof auth !== 'string') return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** `https://index.docker.io/v1/` → `index.docker.io`. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
