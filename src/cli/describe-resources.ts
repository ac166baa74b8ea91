import { replicasets } from '../api/apps/v1.gen.ts';
import { events, pods, type Event } from '../api/core/v1.gen.ts';
import { endpointslices } from '../api/discovery/v1.gen.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { describeObject, type Surroundings } from '../printers/describe/describe.ts';
import type { CliContext } from './cli-context.ts';
import type { DescribeFlags } from './commands/describe.ts';
import { collectFailures } from './failures.ts';
import { findObjects } from './find-objects.ts';
import type { Session } from './session.ts';

/** Prints in detail what the arguments of `describe` name. */
export async function describeResources(
  context: CliContext,
  session: Session,
  { args, flags }: { readonly args: readonly string[]; readonly flags: DescribeFlags },
): Promise<void> {
  const failures = collectFailures(context);
  const found = await findObjects(context, session, { selection: { args, ...flags }, failures });
  const texts: string[] = [];
  for (const { object } of found) {
    const around = await surroundings(context, session, object);
    texts.push(describeObject(object, flags.showEvents ? around : { ...around, events: [] }));
  }
  if (texts.length > 0) context.stdout.write(texts.join('\n\n'));
  else if (failures.count === 0)
    context.stderr.write(`No resources found in ${session.namespace} namespace.\n`);
  failures.throwIfAny();
}

async function surroundings(
  context: CliContext,
  session: Session,
  object: Live<KubeObject>,
): Promise<Surroundings> {
  return {
    now: context.clock.now(),
    events: await eventsAbout(session, object),
    ...(await relatives(session, object)),
  };
}

async function eventsAbout(
  { client }: Session,
  { kind, metadata }: Live<KubeObject>,
): Promise<readonly Event[]> {
  // Kubelets name the node itself instead of its uid.
  const who = kind === 'Node' ? `involvedObject.name=${metadata.name}` : `involvedObject.uid=${metadata.uid}`;
  const { items } = await client.for(events).list({
    fieldSelector: `${who},involvedObject.kind=${kind}`,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  });
  return items;
}

/** What a kind's form shows beside the object. */
async function relatives(
  { client }: Session,
  { apiVersion, kind, metadata }: Live<KubeObject>,
): Promise<Partial<Surroundings>> {
  const { name, namespace = 'default', uid } = metadata;
  switch (`${apiVersion} ${kind}`) {
    case 'apps/v1 Deployment': {
      const { items } = await client.for(replicasets).list({ namespace });
      const owned = items.filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === uid));
      return { replicaSets: owned };
    }
    case 'v1 Service': {
      const labelSelector = `kubernetes.io/service-name=${name}`;
      return { endpointSlices: (await client.for(endpointslices).list({ namespace, labelSelector })).items };
    }
    case 'v1 Node':
      return { pods: (await client.for(pods).list({ fieldSelector: `spec.nodeName=${name}` })).items };
    default:
      return {};
  }
}
