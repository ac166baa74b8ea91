import {
  mutatingwebhookconfigurations,
  type MutatingWebhook,
} from '../../../api/admissionregistration/v1.gen.ts';
import { encodeJson } from '../../../machinery/json/encode.ts';
import { JsonSyntaxError } from '../../../machinery/json/json-error.ts';
import { parseJson } from '../../../machinery/json/parse-json.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import { JsonPatchError, tryJsonPatch } from '../../../machinery/patch/json-patch.ts';
import { jsonEqual } from '../../../machinery/patch/json-value.ts';
import { DecodeError } from '../../../machinery/schema/decode-error.ts';
import { newInternalError } from '../../../machinery/status/errors.ts';
import { StatusError } from '../../../machinery/status-error.ts';
import type { AdmissionPass, AdmissionPlugin, AdmissionRequest } from '../admission-chain.ts';
import { isExempt } from '../matching/exempt-kinds.ts';
import { replaceObject } from '../matching/replace-object.ts';
import type { Verdict } from './admission-review.ts';
import { callWebhook, type CallParts } from './call-webhook.ts';
import { configuredWebhooks, type ConfiguredWebhook } from './configured-webhooks.ts';
import { observeCall } from './webhook-observer.ts';
import { matchWebhook, type Matched, type MatchParts } from './webhook-matching.ts';
import { WebhookCallError } from './webhook-failure.ts';

const failedOpen = 'failed-open.mutating.webhook.admission.k8s.io/';
const mutation = 'mutation.webhook.admission.k8s.io/';

/** What the first round leaves for the second. */
interface Memory {
  /** Called in this request, and to be called again when something changes the object afterwards. */
  readonly called: Set<string>;
  readonly due: Set<string>;
  /** The object as the last webhook left it. */
  output: unknown;
}

/** Lets webhooks change what is written, one after the other (upstream's MutatingAdmissionWebhook). */
export function mutatingWebhooks(parts: CallParts & MatchParts): AdmissionPlugin {
  const hooks = configuredWebhooks<MutatingWebhook>(parts.lookup, mutatingwebhookconfigurations);
  const plugin: AdmissionPlugin = {
    name: 'MutatingAdmissionWebhook',
    async admit(request, pass) {
      const configured = hooks();
      if (configured.length === 0 || isExempt(request)) return;
      const memory = pass.memory<Memory>(plugin, () => ({
        called: new Set(),
        due: new Set(),
        output: undefined,
      }));
      if (pass.round === 1 && !jsonEqual(memory.output, snapshot(request))) requireAgain(memory);
      for (const [index, hook] of configured.entries()) {
        const matched = await matchWebhook(parts, request, hook.webhook);
        if (!matched || (pass.round === 1 && !memory.due.has(hook.uid))) continue;
        const changed = await invoke(parts, request, { hook, matched, round: pass.round, index });
        if (changed) {
          requireAgain(memory);
          pass.reinvoke();
        }
        if (hook.webhook.reinvocationPolicy === 'IfNeeded') memory.called.add(hook.uid);
      }
      memory.output = snapshot(request);
    },
  };
  return plugin;
}

function requireAgain(memory: Memory): void {
  for (const uid of memory.called) memory.due.add(uid);
  memory.called.clear();
}

function snapshot({ object }: AdmissionRequest): unknown {
  return object && structuredClone<KubeObject>(object);
}

interface Calling {
  readonly hook: ConfiguredWebhook<MutatingWebhook>;
  readonly matched: Matched;
  readonly round: AdmissionPass['round'];
  readonly index: number;
}

/** Whether the webhook changed the object. Throws `StatusError`. */
async function invoke(parts: CallParts, request: AdmissionRequest, calling: Calling): Promise<boolean> {
  const { hook, matched, round, index } = calling;
  const { webhook, configuration } = hook;
  const key = `round_${round}_index_${index}`;
  const noteMutation = (mutated: boolean): void =>
    request.annotate(`${mutation}${key}`, encodeJson({ configuration, webhook: webhook.name, mutated }));
  const { name } = webhook;
  const ignores = webhook.failurePolicy === 'Ignore';
  const about = { name, type: 'admit', operation: request.operation, ignores } as const;
  try {
    const changed = await observeCall(parts.observer, about, async () => {
      const verdict = await callWebhook(parts, request, { webhook, ...matched, may: 'change' });
      return applyVerdict(request, webhook, matched, verdict);
    });
    noteMutation(changed);
    return changed;
  } catch (error) {
    noteMutation(false);
    if (!(error instanceof WebhookCallError)) throw error;
    if (!ignores) throw newInternalError(error.message);
    request.annotate(`${failedOpen}${key}`, webhook.name);
    return false;
  }
}

async function applyVerdict(
  request: AdmissionRequest,
  webhook: MutatingWebhook,
  { target, objects }: Matched,
  { patch, patchType = '' }: Verdict,
): Promise<boolean> {
  if (patch === undefined) return false;
  const operations = parsePatch(patch);
  if (Array.isArray(operations) && operations.length === 0) return false;
  const { object } = request;
  if (!object || !objects.object) {
    throw newInternalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  if (patchType !== 'JSONPatch') {
    throw new WebhookCallError(webhook.name, `unsupported patch type ${JSON.stringify(patchType)}`);
  }
  try {
    replaceObject(object, await target.object(tryJsonPatch(objects.object, operations)));
  } catch (error) {
    if (
      error instanceof JsonPatchError ||
      error instanceof DecodeError ||
      (error instanceof StatusError && error.code < 500)
    )
      throw newInternalError(error.message);
    throw error;
  }
  return !jsonEqual(objects.object, await target.document(object));
}

function parsePatch(text: string): unknown {
  try {
    return parseJson(Buffer.from(text)).value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw newInternalError(error.message);
    throw error;
  }
}
