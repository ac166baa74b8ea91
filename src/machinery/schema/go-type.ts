import type { FieldType } from './schema.ts';

const names: Readonly<Record<string, string>> = {
  bytes: '[]uint8',
  double: 'float64',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  duration: 'v1.Duration',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  raw: 'runtime.RawExtension',
  fieldsV1: 'v1.FieldsV1',
  any: 'v1.JSON',
  schemaOrList: 'v1.JSONSchemaPropsOrArray',
  schemaOrBool: 'v1.JSONSchemaPropsOrBool',
  schemaOrStrings: 'v1.JSONSchemaPropsOrStringArray',
};

/** The type as Go prints it in an error: `int32`, `[]v1.Container`, `map[string]string`. */
export function goType(of: FieldType): string {
  switch (of.type) {
    case 'message':
      return goMessageType(of.message);
    case 'list':
      return of.wrapped ? 'v1.ExtraValue' : `[]${goType(of.items)}`;
    case 'map':
      return of.values.type === 'quantity' ? 'v1.ResourceList' : `map[string]${goType(of.values)}`;
    default:
      return names[of.type] ?? of.type;
  }
}

/** `v1.PodSpec` of `io.k8s.api.core.v1.PodSpec`. */
export function goMessageType(message: string): string {
  return message.split('.').slice(-2).join('.');
}

/** `PodSpec` of `io.k8s.api.core.v1.PodSpec`. */
export function goStructName(message: string): string {
  return message.slice(message.lastIndexOf('.') + 1);
}
