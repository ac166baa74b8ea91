import type { MessageSchema } from '../../machinery/schema/schema.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** What every object has, for the documents of OpenAPI. */
export const apiVersionDescription: string =
  'APIVersion defines the group and version of the schema that this object follows.';
export const kindDescription: string = 'Kind names the type of this object.';
export const metadataDescription: string = "Standard object's metadata.";
export const listMetadataDescription: string = 'The version of the list, and where it continues.';

const objectMeta: Readonly<Record<string, string>> = {
  annotations: 'Annotations are keys and values for people and tools; nothing is selected by them.',
  creationTimestamp: 'CreationTimestamp is a timestamp of the server: when it first stored the object.',
  deletionGracePeriodSeconds:
    'DeletionGracePeriodSeconds is how long a deleted object may take to end. Set by the server.',
  deletionTimestamp:
    'DeletionTimestamp is when the object will be gone, once it has been deleted. Set by the server.',
  finalizers:
    'Finalizers hold a deleted object back until whoever they name has cleaned up and removed them.',
  generateName: 'GenerateName begins the name of an object that comes without one; the server completes it.',
  generation: 'Generation counts how often what is desired has changed. Set by the server.',
  labels: 'Labels are short keys and values by which objects are selected.',
  managedFields: 'ManagedFields record who set which fields.',
  name: 'Name is unique among the objects of one kind in a namespace, and never changes.',
  namespace: 'Namespace is where the object lives; kinds of the whole cluster have none.',
  ownerReferences:
    'OwnerReferences name the objects that this one belongs to. It goes when all of them are gone; one at most is its controller.',
  resourceVersion:
    'ResourceVersion changes with every write. A client that sends it back is refused if somebody else has written since.',
  selfLink: 'SelfLink is not set any more.',
  uid: 'UID is of this object alone, among all there ever were. Set by the server.',
};

/** What is said of a field; nothing but for the metadata that all objects have. */
export function fieldDescription(message: MessageSchema, field: string): string | undefined {
  if (message.name === `${meta}.ObjectMeta`) return objectMeta[field];
  if (message.groupVersionKind === undefined) return undefined;
  if (field === 'apiVersion') return apiVersionDescription;
  if (field === 'kind') return kindDescription;
  const of = field === 'metadata' ? message.fields.get(field)?.of : undefined;
  if (of?.type !== 'message') return undefined;
  if (of.message === `${meta}.ObjectMeta`) return metadataDescription;
  return of.message === `${meta}.ListMeta` ? listMetadataDescription : undefined;
}
