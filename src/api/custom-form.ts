import type { ResourceVersion } from './resource.ts';
import type { KubeObject, ResourceType } from '../machinery/object.ts';
import type { Decoded } from '../machinery/schema/decode.ts';
import type { Structure } from '../machinery/structure/structure.ts';

/** How one version of a custom resource is read and written: its objects are of no message of the schema table. */
export interface CustomForm {
  /** Of lists of it, which need not be the kind with `List` behind. */
  readonly listKind: string;
  /** The version that is stored. */
  readonly stored: ResourceType<KubeObject>;
  /** All versions of the resource, by their names. */
  versions(): Readonly<Record<string, ResourceVersion<KubeObject>>>;
  /** How its values merge, for server-side apply. */
  readonly structure: Structure;
  /** The schema as it is published, in OpenAPI's two dialects. */
  readonly published: { readonly v2: object; readonly v3: object };
  /**
   * Reads the object of a request, which has this version; the value is kept and changed. Unknown fields are gone and told
   * of. Throws `DecodeError` for malformed metadata.
   */
  decode(value: Record<string, unknown>): Decoded;
  /** The bytes to store. Rejects with a `StatusError` when the object cannot be converted. */
  encode(object: KubeObject): Buffer | Promise<Buffer>;
  /** A copy of the object in another version of the resource, for comparing: it need not be complete. Rejects with a `StatusError`. */
  convert(object: KubeObject, version: string): KubeObject | Promise<KubeObject>;
}
