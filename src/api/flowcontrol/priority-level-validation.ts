import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { mandatoryPriorityLevel } from './bootstrap-configuration.ts';
import { validateFlowConditions } from './condition-validation.ts';
import type {
  LimitResponse,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from './v1.gen.ts';

const maxQueues = 10_000_000;
const maxHashBits = 60;

function validateShares(shares: number | undefined, field: string): FieldError[] {
  if (shares === undefined || shares >= 0) return [];
  return [invalid(`${field}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')];
}

function validateLendable(percent: number | undefined, field: string): FieldError[] {
  if (percent === undefined || (percent >= 0 && percent <= 100)) return [];
  return [invalid(`${field}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')];
}

function validateQueuing(queuing: QueuingConfiguration, field: string): FieldError[] {
  const { queues, handSize, queueLengthLimit } = queuing;
  const errors: FieldError[] = [];
  const wrong = (name: string, value: number, detail: string): void => {
    errors.push(invalid(`${field}.${name}`, value, detail));
  };
  if (queueLengthLimit <= 0) wrong('queueLengthLimit', queueLengthLimit, 'must be positive');
  if (queues <= 0) wrong('queues', queues, 'must be positive');
  else if (queues > maxQueues) wrong('queues', queues, `must not be greater than ${maxQueues}`);
  if (handSize <= 0) wrong('handSize', handSize, 'must be positive');
  else if (handSize > queues) wrong('handSize', handSize, `should not be greater than queues (${queues})`);
  else if (Math.ceil(Math.log2(queues) * handSize) > maxHashBits) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`;
    wrong('handSize', handSize, detail);
  }
  return errors;
}

function validateResponse({ type, queuing }: LimitResponse, field: string): FieldError[] {
  const at = `${field}.queuing`;
  switch (type) {
    case 'Reject':
      return queuing ? [forbidden(at, 'must be nil if limited.limitResponse.type is not Limited')] : [];
    case 'Queue':
      return queuing
        ? validateQueuing(queuing, at)
        : [required(at, 'must not be empty if limited.limitResponse.type is Limited')];
    default:
      return [notSupported(`${field}.type`, type, ['Queue', 'Reject'])];
  }
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, field: string): FieldError[] {
  const borrowing = limited.borrowingLimitPercent;
  return [
    ...validateShares(limited.nominalConcurrencyShares, field),
    ...validateResponse(limited.limitResponse ?? { type: '' }, `${field}.limitResponse`),
    ...validateLendable(limited.lendablePercent, field),
    ...(borrowing !== undefined && borrowing < 0
      ? [invalid(`${field}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer')]
      : []),
  ];
}

function validateSpec(name: string | undefined, spec: PriorityLevelConfigurationSpec): FieldError[] {
  const { type, limited, exempt } = spec;
  const errors: FieldError[] = [];
  if ((name === 'exempt') !== (type === 'Exempt')) {
    errors.push(invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  switch (type) {
    case 'Exempt':
      if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
      if (exempt) {
        errors.push(
          ...validateShares(exempt.nominalConcurrencyShares, 'spec.exempt'),
          ...validateLendable(exempt.lendablePercent, 'spec.exempt'),
        );
      } else errors.push(required('spec.exempt', 'must not be empty'));
      break;
    case 'Limited':
      if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
      if (limited) errors.push(...validateLimited(limited, 'spec.limited'));
      else errors.push(required('spec.limited', 'must not be empty when type is Limited'));
      break;
    default:
      errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
  }
  return errors;
}

/** The spec as upstream prints its Go form. */
function printed({ type, limited, exempt }: PriorityLevelConfigurationSpec): object {
  const response = limited?.limitResponse;
  return {
    Type: type,
    Limited: limited
      ? {
          NominalConcurrencyShares: limited.nominalConcurrencyShares,
          LimitResponse: {
            Type: response?.type ?? '',
            Queuing: response?.queuing
              ? {
                  Queues: response.queuing.queues,
                  HandSize: response.queuing.handSize,
                  QueueLengthLimit: response.queuing.queueLengthLimit,
                }
              : null,
          },
          LendablePercent: limited.lendablePercent ?? null,
          BorrowingLimitPercent: limited.borrowingLimitPercent ?? null,
        }
      : null,
    Exempt: exempt
      ? {
          NominalConcurrencyShares: exempt.nominalConcurrencyShares ?? null,
          LendablePercent: exempt.lendablePercent ?? null,
        }
      : null,
  };
}

function validateMandatory(name: string | undefined, spec: PriorityLevelConfigurationSpec): FieldError[] {
  const fixed = mandatoryPriorityLevel(name);
  if (!fixed) return [];
  if (name !== 'exempt') {
    if (jsonEqual(fixed, spec)) return [];
    return [invalid('spec', printed(spec), `spec of '${name}' must equal the fixed value`)];
  }
  if (spec.type === fixed.type && !spec.limited) return [];
  const detail = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value";
  return [invalid('spec', printed(spec), detail)];
}

/** `ValidatePriorityLevelConfiguration` of upstream, without the metadata. */
export function validatePriorityLevel({ metadata, spec, status }: PriorityLevelConfiguration): FieldError[] {
  return [
    ...validateSpec(metadata.name, spec),
    ...validateMandatory(metadata.name, spec),
    ...validateFlowConditions(status?.conditions),
  ];
}
