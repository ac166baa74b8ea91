import { goQuote } from '../../go-quote.ts';
import { bitLength, formatAddress, isMapped, masked, parseAddress, parsePrefix } from '../address.ts';
import type { Address, Prefix } from '../address.ts';
import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asOpaque, asText } from '../value-guards.ts';
import type { CelOpaque, CelValue } from '../value.ts';

const IP = 'net.IP';
const CIDR = 'net.CIDR';

type Found<T> = { readonly found: T } | { readonly error: string };

/** Kubernetes' addresses and networks. */
export function addressFunctions(): FunctionLibrary {
  return [
    {
      id: 'string_to_ip',
      signature: `ip(string) -> ${IP}`,
      run: (text) => ipValue(got(readIp(asText(text)))),
    },
    { id: 'is_ip', signature: 'isIP(string) -> bool', run: (text) => 'found' in readIp(asText(text)) },
    {
      id: 'ip_is_canonical',
      signature: 'ip.isCanonical(string) -> bool',
      run: (text) => formatAddress(got(readIp(asText(text)))) === text,
    },
    { id: 'ip_to_string', signature: `string(${IP}) -> string`, run: (ip) => formatAddress(ipOf(ip)) },
    { id: 'ip_family', signature: `<${IP}>.family() -> int`, run: (ip) => BigInt(ipOf(ip).family) },
    ...predicate('ip_is_unspecified', 'isUnspecified', ({ value }) => value === 0n),
    ...predicate('ip_is_loopback', 'isLoopback', isLoopback),
    ...predicate('ip_is_link_local_multicast', 'isLinkLocalMulticast', ({ family, value }) =>
      family === 4 ? value >> 8n === 0xe00000n : value >> 112n === 0xff02n,
    ),
    ...predicate('ip_is_link_local_unicast', 'isLinkLocalUnicast', isLinkLocalUnicast),
    ...predicate('ip_is_global_unicast', 'isGlobalUnicast', isGlobalUnicast),
    {
      id: 'string_to_cidr',
      signature: `cidr(string) -> ${CIDR}`,
      run: (text) => cidrValue(got(readCidr(asText(text)))),
    },
    { id: 'is_cidr', signature: 'isCIDR(string) -> bool', run: (text) => 'found' in readCidr(asText(text)) },
    {
      id: 'cidr_to_string',
      signature: `string(${CIDR}) -> string`,
      run: (cidr) => formatPrefix(prefixOf(cidr)),
    },
    {
      id: 'cidr_contains_ip_string',
      signature: `<${CIDR}>.containsIP(string) -> bool`,
      run: (cidr, text) => contains(prefixOf(cidr), got(readIp(asText(text)))),
    },
    {
      id: 'cidr_contains_ip_ip',
      signature: `<${CIDR}>.containsIP(${IP}) -> bool`,
      run: (cidr, ip) => contains(prefixOf(cidr), ipOf(ip)),
    },
    {
      id: 'cidr_contains_cidr_string',
      signature: `<${CIDR}>.containsCIDR(string) -> bool`,
      run: (cidr, text) => covers(prefixOf(cidr), got(readCidr(asText(text)))),
    },
    {
      id: 'cidr_contains_cidr',
      signature: `<${CIDR}>.containsCIDR(${CIDR}) -> bool`,
      run: (cidr, other) => covers(prefixOf(cidr), prefixOf(other)),
    },
    { id: 'cidr_ip', signature: `<${CIDR}>.ip() -> ${IP}`, run: (cidr) => ipValue(prefixOf(cidr).address) },
    {
      id: 'cidr_prefix_length',
      signature: `<${CIDR}>.prefixLength() -> int`,
      run: (cidr) => BigInt(prefixOf(cidr).bits),
    },
    {
      id: 'cidr_masked',
      signature: `<${CIDR}>.masked() -> ${CIDR}`,
      run: (cidr) => cidrValue(masked(prefixOf(cidr))),
    },
  ];
}

function predicate(id: string, name: string, holds: (address: Address) => boolean): FunctionLibrary {
  return [{ id, signature: `<${IP}>.${name}() -> bool`, run: (ip) => holds(ipOf(ip)) }];
}

function got<T>(result: Found<T>): T {
  return 'found' in result ? result.found : evaluationError(result.error);
}

function ipOf(value: CelValue | undefined): Address {
  return asOpaque(value).payload as Address;
}

function prefixOf(value: CelValue | undefined): Prefix {
  return asOpaque(value).payload as Prefix;
}

/** `size` is what costs count: bytes. */
function ipValue(address: Address): CelOpaque {
  const payload = { ...address, size: bitLength(address) / 8 };
  const text = formatAddress(address);
  return {
    kind: 'opaque',
    typeName: IP,
    payload,
    equals: (other) => formatAddress(other as Address) === text,
  };
}

function cidrValue(prefix: Prefix): CelOpaque {
  const payload = { ...prefix, size: Math.ceil(prefix.bits / 8) };
  const text = formatPrefix(prefix);
  return {
    kind: 'opaque',
    typeName: CIDR,
    payload,
    equals: (other) => formatPrefix(other as Prefix) === text,
  };
}

function formatPrefix({ address, bits }: Prefix): string {
  return `${formatAddress(address)}/${bits}`;
}

function readIp(text: string): Found<Address> {
  const parsed = parseAddress(text);
  if ('error' in parsed) {
    return {
      error: `IP Address ${goQuote(text)} parse error during conversion from string: ${parsed.error}`,
    };
  }
  if (parsed.zone !== '') return { error: `IP address ${goQuote(text)} with zone value is not allowed` };
  if (isMapped(parsed.address)) return { error: `IPv4-mapped IPv6 address ${goQuote(text)} is not allowed` };
  return { found: parsed.address };
}

function readCidr(text: string): Found<Prefix> {
  const context = 'network address parse error during conversion from string';
  const parsed = parsePrefix(text);
  if ('error' in parsed) return { error: `${context}: ${context}: ${parsed.error}` };
  if (isMapped(parsed.prefix.address)) {
    return { error: `${context}: IPv4-mapped IPv6 address ${goQuote(text)} is not allowed` };
  }
  return { found: parsed.prefix };
}

function isLoopback({ family, value }: Address): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n;
}

function isLinkLocalUnicast({ family, value }: Address): boolean {
  return family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan;
}

function isGlobalUnicast(address: Address): boolean {
  const { family, value } = address;
  const isMulticast = family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn;
  const isBroadcast = family === 4 && value === 0xffffffffn;
  return value !== 0n && !isBroadcast && !isLoopback(address) && !isMulticast && !isLinkLocalUnicast(address);
}

function contains(prefix: Prefix, address: Address): boolean {
  if (prefix.address.family !== address.family) return false;
  return masked({ address, bits: prefix.bits }).address.value === masked(prefix).address.value;
}

function covers(prefix: Prefix, other: Prefix): boolean {
  return prefix.bits <= other.bits && contains(prefix, other.address);
}
