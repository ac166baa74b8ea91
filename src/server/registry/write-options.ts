import {
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../machinery/field-error.ts';
import { newInvalid } from '../../machinery/status/errors.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import type { FieldValidation } from './codec.ts';

/** The query parameters of a write, checked. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly fieldManager: string;
  /** Whether an apply may take fields from others. */
  readonly force: boolean;
}

/** `dryRun`, `fieldManager`, `fieldValidation`. Throws an Invalid that names the options' kind, as upstream does. */
export function writeOptions(
  request: ApiRequest,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): WriteOptions {
  const params = request.params ?? {};
  const errors: FieldError[] = [];
  const { dryRun, fieldManager = '', fieldValidation = '' } = params;
  const applies = kind === 'PatchOptions' && request.patchType === 'application/apply-patch+yaml';
  if (applies && fieldManager === '') errors.push(required('fieldManager', 'is required for apply patch'));
  if (kind === 'PatchOptions' && !applies && params['force'] !== undefined) {
    errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  }
  if (Buffer.byteLength(fieldManager) > 128) errors.push(tooLong('fieldManager', 128));
  else {
    const found = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(fieldManager);
    const code = found?.[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    const detail = `invalid character U+${code} (at position ${found?.index})`;
    if (found) errors.push(invalid('fieldManager', fieldManager, detail));
  }
  errors.push(...dryRunErrors(dryRun));
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(fieldValidation)) {
    errors.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind }, '', errors);
  return {
    dryRun: dryRun !== undefined,
    fieldManager,
    force: params['force'] !== undefined && !['0', 'false'].includes(params['force'].toLowerCase()),
    fieldValidation: (fieldValidation || 'Warn') as FieldValidation,
  };
}

/** What is wrong with a `dryRun` parameter. */
export function dryRunErrors(dryRun: string | undefined): FieldError[] {
  return dryRun === undefined || dryRun === 'All' ? [] : [notSupported('dryRun', [dryRun], ['All'])];
}
