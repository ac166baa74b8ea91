import type { RpcService } from './rpc-schema.ts';

/** How a plug-in introduces itself to a node (pluginregistration v1). */
export const registrationService: RpcService = {
  name: 'pluginregistration.Registration',
  messages: {
    InfoRequest: {},
    PluginInfo: {
      type: 'string 1',
      name: 'string 2',
      endpoint: 'string 3',
      supported_versions: 'repeated string 4',
    },
    RegistrationStatus: { plugin_registered: 'bool 1', error: 'string 2' },
    RegistrationStatusResponse: {},
  },
  methods: {
    GetInfo: ['InfoRequest', 'PluginInfo'],
    NotifyRegistrationStatus: ['RegistrationStatus', 'RegistrationStatusResponse'],
  },
};

export interface PluginInfo {
  /** `CSIPlugin`, `DRAPlugin`, `DevicePlugin`. */
  readonly type: string;
  readonly name: string;
  /** The socket that serves it; empty: the one by which it registers. */
  readonly endpoint: string;
  readonly supported_versions: readonly string[];
}

export interface RegistrationCalls {
  readonly GetInfo: readonly [object, PluginInfo];
  readonly NotifyRegistrationStatus: readonly [
    { readonly plugin_registered: boolean; readonly error: string },
    object,
  ];
}
