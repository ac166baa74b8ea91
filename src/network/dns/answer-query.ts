import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  type Answer,
  type DecodedPacket,
  type Packet,
} from 'dns-packet';
import type { Forwarder } from './forwarder.ts';
import type { ResponseCache } from './response-cache.ts';
import type { Zone } from './zone.ts';

export interface QueryContext {
  readonly zone: Zone;
  readonly forwarder: Forwarder;
  readonly cache: ResponseCache;
}

const codes = { noError: 0, formatError: 1, serverFailure: 2, noName: 3, notImplemented: 4 };

/** Bytes that every resolver takes in one datagram. */
const plainLimit = 512;
const longestDatagram = 4096;

/** Answers one DNS message; undefined when it deserves none. */
export async function answerQuery(
  message: Buffer,
  transport: 'udp' | 'tcp',
  context: QueryContext,
): Promise<Buffer | undefined> {
  const query = decodeQuery(message);
  if (!query || query.type !== 'query') return undefined;
  const [question, ...others] = query.questions ?? [];
  if (operationOf(message) !== 0) return encode(reply(query, codes.notImplemented));
  if (!question || others.length > 0) return encode(reply(query, codes.formatError));
  const name = question.name.toLowerCase();
  const found = context.zone.lookup(name, question.type);
  if (!found) return await forward({ message, query, transport, context });
  if (found.kind === 'records') {
    const answers = rotated(found.answers, message.readUInt16BE(0));
    return fit(
      { ...ours(query, codes.noError), answers, additionals: [...found.additionals] },
      query,
      transport,
    );
  }
  if (found.kind === 'alias') {
    const target = await resolve(found.target, question.type, context);
    return fit({ ...ours(query, codes.noError), answers: [...found.answers, ...target] }, query, transport);
  }
  const code = found.kind === 'noName' ? codes.noName : codes.noError;
  return fit({ ...ours(query, code), authorities: [context.zone.authority(name)] }, query, transport);
}

/** The OPCODE; 0 is a standard query. */
function operationOf(message: Buffer): number {
  return ((message[2] ?? 0) >> 3) & 0x0f;
}

function decodeQuery(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

function reply(query: DecodedPacket, code: number): Packet {
  return {
    type: 'response',
    ...(query.id !== undefined && { id: query.id }),
    flags: ((query.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE | code,
    questions: query.questions ?? [],
  };
}

function ours(query: DecodedPacket, code: number): Packet {
  const packet = reply(query, code);
  return { ...packet, flags: (packet.flags ?? 0) | AUTHORITATIVE_ANSWER };
}

/** Spreads clients that take the first of several records. */
function rotated(answers: readonly Answer[], by: number): Answer[] {
  const aliases = answers.filter((answer) => answer.type === 'CNAME');
  const others = answers.filter((answer) => answer.type !== 'CNAME');
  const at = others.length === 0 ? 0 : by % others.length;
  return [...aliases, ...others.slice(at), ...others.slice(0, at)];
}

/** Encodes within what the asker takes: additional records go first, then answers, and then the message says that it was cut. */
function fit(packet: Packet, query: DecodedPacket, transport: 'udp' | 'tcp'): Buffer {
  const option = query.additionals?.find((record) => record.type === 'OPT');
  const options: Answer[] = option
    ? [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: longestDatagram,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  const limit =
    transport === 'tcp'
      ? 0xffff
      : Math.min(longestDatagram, Math.max(plainLimit, option?.type === 'OPT' ? option.udpPayloadSize : 0));
  const whole = encode({ ...packet, additionals: [...(packet.additionals ?? []), ...options] });
  if (whole.length <= limit) return whole;
  const answers = packet.answers ?? [];
  for (let count = answers.length; ; count = Math.floor(count / 2)) {
    const flags = (packet.flags ?? 0) | (count < answers.length ? TRUNCATED_RESPONSE : 0);
    const cut = encode({ ...packet, flags, answers: answers.slice(0, count), additionals: options });
    if (cut.length <= limit || count === 0) return cut;
  }
}

interface ForwardedQuery {
  readonly message: Buffer;
  readonly query: DecodedPacket;
  readonly transport: 'udp' | 'tcp';
  readonly context: QueryContext;
}

async function forward({ message, query, transport, context }: ForwardedQuery): Promise<Buffer> {
  const key = `${transport} ${message.toString('latin1', 2)}`;
  const known = context.cache.get(key, message.readUInt16BE(0));
  if (known) return known;
  const answer = await context.forwarder.ask(message, transport);
  if (!answer) return encode(reply(query, codes.serverFailure));
  context.cache.set(key, answer);
  return answer;
}

/** The records of a name outside the zone; none when they cannot be had. */
async function resolve(name: string, type: string, context: QueryContext): Promise<readonly Answer[]> {
  const query = { type: 'query', id: 0, flags: RECURSION_DESIRED, questions: [{ name, type }] } as Packet;
  const message = encode(query);
  const answer = await forward({ message, query: decode(message), transport: 'udp', context });
  return decodeQuery(answer)?.answers ?? [];
}
