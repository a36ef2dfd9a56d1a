/** What a TypeScript program uses of vertebra. See docs/typescript.md. */
export { type Config, DEFAULT_CONFIG } from './participant/config.ts';
export {
  defineSaga,
  type SagaDefinition,
  type StageDefinition,
} from './participant/define-saga.ts';
export {
  type Channel,
  type GroupReport,
  type PactReport,
  type ParticipantFace,
  type PeerReport,
  type PulledEntry,
  type PushOptions,
  RequestError,
  type StatusReport,
} from './participant/face.ts';
export {
  chooseWorld,
  findHome,
  type Home,
  homeAt,
  type WorldHome,
  worldAt,
} from './participant/home.ts';
export { type Logger, openLogger, openStderrLogger } from './participant/log.ts';
export type {
  ForkReport,
  LogBlockReport,
  LogFace,
  LogReport,
} from './participant/log-face.ts';
export { createWorld, initHome, joinWorld } from './participant/membership.ts';
export { openParticipant, type ParticipantOptions } from './participant/participant.ts';
export {
  type DeviceCapabilities,
  DeviceError,
  type DeviceSet,
  type DeviceStatus,
  type DeviceValue,
} from './ports/devices.ts';
