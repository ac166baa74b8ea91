import { invalid, notSupported, type FieldError } from '../../machinery/field-error.ts';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { decodeProtobuf } from '../../machinery/protobuf/decode-protobuf.ts';
import { unwrapEnvelope } from '../../machinery/protobuf/envelope.ts';
import { DecodeError } from '../../machinery/schema/decode-error.ts';
import { decodeValue } from '../../machinery/schema/decode.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { newBadRequest, newInvalid } from '../../machinery/status/errors.ts';
import { typeProblem } from './codec.ts';
import type { RequestBody, RequestContext } from './request-context.ts';

/** What a client asks of a deletion. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagation?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** As the client wrote it, before it became a {@link propagation}. */
  readonly orphanDependents?: boolean;
  readonly dryRun: boolean;
  /** As the client sent them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Received {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: readonly string[];
}

const message = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';

function received(table: SchemaTable, body: RequestBody): Received {
  if (body.type === 'bytes' && body.mediaType === 'application/vnd.kubernetes.protobuf') {
    try {
      return decodeProtobuf(unwrapEnvelope(body.bytes).raw, { table, message });
    } catch (error) {
      if (error instanceof DecodeError) throw newBadRequest(error.message);
      throw error;
    }
  }
  try {
    const value = body.type === 'object' ? (body.value ?? {}) : parseJson(body.bytes).value;
    const problem = typeProblem(value);
    if (problem !== undefined) throw newBadRequest(`couldn't get version/kind; json parse error: ${problem}`);
    const kind = (value as { readonly kind?: unknown } | null)?.kind;
    if (typeof kind === 'string' && kind !== '' && kind !== 'DeleteOptions') {
      const { apiVersion } = value as { readonly apiVersion?: unknown };
      throw newBadRequest(
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion ?? '')} in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"`,
      );
    }
    return decodeValue(value, { table, message }).object;
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      throw newBadRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    }
    if (error instanceof DecodeError) throw newBadRequest(error.message);
    throw error;
  }
}

function fromQuery(params: Readonly<Record<string, string>>): Received {
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, dryRun } = params;
  if (gracePeriodSeconds !== undefined && !/^[+-]?\d+$/.test(gracePeriodSeconds)) {
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(gracePeriodSeconds)}: invalid syntax`);
  }
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: Number(gracePeriodSeconds) }),
    ...(orphanDependents === undefined ? {} : { orphanDependents: orphanDependents === 'true' }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(dryRun === undefined ? {} : { dryRun: [dryRun] }),
  };
}

/** Reads and checks the options in body and query; the body's win. Throws a BadRequest or an Invalid. */
export function deleteOptions(table: SchemaTable, context: RequestContext): DeleteOptions {
  const { body } = context;
  const empty = !body || (body.type === 'bytes' && body.bytes.length === 0);
  const options = empty ? fromQuery(context.request.params ?? {}) : received(table, body);
  const errors: FieldError[] = [];
  const policy = options.propagationPolicy;
  if (policy !== undefined && !['Orphan', 'Background', 'Foreground'].includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  if (policy !== undefined && options.orphanDependents !== undefined) {
    errors.push(
      invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    );
  }
  const dryRun = options.dryRun ?? [];
  if (dryRun.some((value) => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']));
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const propagation =
    policy ??
    (options.orphanDependents === undefined ? '' : options.orphanDependents ? 'Orphan' : 'Background');
  return {
    ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(propagation === '' ? {} : { propagation: propagation as 'Orphan' | 'Background' | 'Foreground' }),
    ...(options.orphanDependents === undefined ? {} : { orphanDependents: options.orphanDependents }),
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    dryRun: dryRun.length > 0,
    fields: { ...options },
  };
}
