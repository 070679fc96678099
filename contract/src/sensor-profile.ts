import { type Static, Type } from '@sinclair/typebox';
import { DeviceTls } from './device-tls.ts';
import { Slug } from './id.ts';
import { READING_MANNERS, UNIT_CODES, type UnitCode } from './sensor-quantity.ts';

const restart = { apply: 'restart' } as const;

const SecretName = Type.Object(
  {
    env: Type.String({
      pattern: '^[A-Z][A-Z0-9_]*$',
      description: 'Environment variable that holds the secret.',
    }),
  },
  { additionalProperties: false, ...restart },
);

const UnitId = Type.Integer({
  minimum: 0,
  maximum: 247,
  default: 1,
  description: 'Address of the device on its bus (Modbus unit).',
  ...restart,
});

const AnswerTimeout = Type.Integer({
  minimum: 20,
  maximum: 60_000,
  default: 1_000,
  description: 'An answer that takes longer is none, ms.',
  ...restart,
});

/** A device, or a gateway with devices behind it, that speaks Modbus over TCP. */
export const ModbusTcpSource = Type.Object(
  {
    kind: Type.Literal('modbus-tcp'),
    host: Type.String({ pattern: '^[A-Za-z0-9.:-]+$', maxLength: 253, ...restart }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502, ...restart }),
    framing: Type.Union([Type.Literal('mbap'), Type.Literal('rtu')], {
      default: 'mbap',
      description:
        '`mbap`: Modbus TCP. `rtu`: frames of the serial line carried over TCP, as plain serial converters do.',
      ...restart,
    }),
    unit: UnitId,
    timeoutMs: AnswerTimeout,
  },
  {
    additionalProperties: false,
    description: 'Modbus over TCP. Sensors of one host and port share one line.',
  },
);

/** A device on a serial line. */
export const ModbusRtuSource = Type.Object(
  {
    kind: Type.Literal('modbus-rtu'),
    path: Type.String({
      pattern: '^/',
      maxLength: 200,
      description: 'Serial port (`/dev/ttyUSB0`).',
      ...restart,
    }),
    baudRate: Type.Integer({ minimum: 300, maximum: 1_000_000, default: 9_600, ...restart }),
    dataBits: Type.Union([Type.Literal(8), Type.Literal(7)], { default: 8, ...restart }),
    stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { default: 1, ...restart }),
    parity: Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')], {
      default: 'none',
      ...restart,
    }),
    unit: UnitId,
    timeoutMs: AnswerTimeout,
  },
  { additionalProperties: false, description: 'Modbus on a serial line. Sensors of one path share it.' },
);

const ClockErrorMs = Type.Integer({
  minimum: 100,
  maximum: 86_400_000,
  default: 30_000,
  description:
    'A device time that differs from the node’s by more is a fault of its clock: the node’s counts, and the reading is uncertain, ms.',
  ...restart,
});

/** A device that publishes to a broker on the spot. */
export const MqttSensorSource = Type.Object(
  {
    kind: Type.Literal('mqtt'),
    broker: Type.Object(
      {
        url: Type.String({ pattern: '^mqtts?://[^@\\s]+$', ...restart }),
        username: Type.Optional(Type.String({ minLength: 1, maxLength: 128, ...restart })),
        password: Type.Optional(SecretName),
        tls: Type.Optional(DeviceTls),
      },
      { additionalProperties: false, description: 'The broker of the devices, not that of the centre.' },
    ),
    topic: Type.String({
      pattern: '^[^+#\\s]+$',
      maxLength: 200,
      description: 'Topic of the device, without wildcards.',
      ...restart,
    }),
    maxClockErrorMs: ClockErrorMs,
  },
  { additionalProperties: false, description: 'Messages of a device over MQTT, JSON or plain numbers.' },
);

/** A device that is asked over HTTP. */
export const HttpSensorSource = Type.Object(
  {
    kind: Type.Literal('http'),
    url: Type.String({ pattern: '^https?://[^@\\s]+$', maxLength: 400, ...restart }),
    token: Type.Optional(SecretName),
    timeoutMs: Type.Integer({
      minimum: 50,
      maximum: 60_000,
      default: 3_000,
      description: 'The whole answer must be there within this time, ms.',
      ...restart,
    }),
    maxBytes: Type.Integer({
      minimum: 16,
      maximum: 4_194_304,
      default: 65_536,
      description: 'A larger answer is refused, bytes.',
      ...restart,
    }),
    maxClockErrorMs: ClockErrorMs,
  },
  {
    additionalProperties: false,
    description: 'JSON or a plain number over HTTP, asked for at each interval.',
  },
);

/** Contacts on digital inputs of the gateway itself. */
export const InputSensorSource = Type.Object(
  {
    kind: Type.Literal('input'),
    pollMs: Type.Integer({
      minimum: 2,
      maximum: 10_000,
      default: 50,
      description: 'How often the inputs are read, ms. Lines of a GPIO chip at most ten times a second.',
      ...restart,
    }),
    debounceMs: Type.Integer({
      minimum: 0,
      maximum: 60_000,
      default: 200,
      description: 'A contact counts as changed once it has held for this long, ms.',
      ...restart,
    }),
  },
  {
    additionalProperties: false,
    description: 'Files of the kernel that read 0 or 1, or lines of a GPIO chip.',
  },
);

export const SensorSource = Type.Union([
  ModbusTcpSource,
  ModbusRtuSource,
  MqttSensorSource,
  HttpSensorSource,
  InputSensorSource,
]);
export type SensorSource = Static<typeof SensorSource>;

/** Registers, words and bytes each in their order: `big` is the one of the Modbus specification. */
const Order = Type.Union([Type.Literal('big'), Type.Literal('little')], { default: 'big', ...restart });

const REGISTER_TYPES = ['u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'f32', 'f64', 'bits'] as const;

/** Where a Modbus device keeps a value, and in what form. */
export const RegisterPlace = Type.Object(
  {
    kind: Type.Literal('register'),
    table: Type.Union(
      [Type.Literal('holding'), Type.Literal('input'), Type.Literal('coil'), Type.Literal('discrete')],
      { default: 'holding', description: 'Functions 3, 4, 1 and 2.', ...restart },
    ),
    address: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description: 'As on the wire, from 0 (a manual’s 40001 is 0 of the holding registers).',
      ...restart,
    }),
    type: Type.Union(
      REGISTER_TYPES.map((type) => Type.Literal(type)),
      {
        default: 'u16',
        description:
          'Form of the value; `bits` is a part of one register. Coils and discrete inputs have none.',
        ...restart,
      },
    ),
    wordOrder: Order,
    byteOrder: Order,
    bit: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 15, description: 'Lowest bit of `bits`, from 0.', ...restart }),
    ),
    bitCount: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16,
        description: 'How many `bits`; one where absent.',
        ...restart,
      }),
    ),
  },
  { additionalProperties: false },
);
export type RegisterPlace = Static<typeof RegisterPlace>;

const JsonPointer = Type.String({
  pattern: '^(/[^/]*)+$',
  maxLength: 200,
  description: 'JSON pointer (RFC 6901).',
  ...restart,
});

/** Where a message or an answer holds a value. */
export const JsonPlace = Type.Object(
  {
    kind: Type.Literal('json'),
    pointer: Type.Optional(JsonPointer),
    time: Type.Optional(JsonPointer),
    topic: Type.Optional(
      Type.String({
        pattern: '^[^+#\\s/][^+#\\s]*$',
        maxLength: 100,
        description: 'Below the topic of the device (`pm25`); absent: the topic itself.',
        ...restart,
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'Without `pointer` the whole payload is the number. `time`: the device’s own time, RFC 3339 or ms since 1970.',
  },
);
export type JsonPlace = Static<typeof JsonPlace>;

/** A digital input. */
export const ContactPlace = Type.Object(
  {
    kind: Type.Literal('contact'),
    path: Type.String({
      pattern: '^/',
      maxLength: 400,
      description: 'File that reads 0 or 1 (`/sys/class/gpio/gpio17/value`).',
      ...restart,
    }),
    activeLow: Type.Boolean({ default: false, ...restart }),
  },
  { additionalProperties: false },
);

/** A digital input as a line of a GPIO chip. */
const GpioPlace = Type.Object(
  {
    kind: Type.Literal('gpio'),
    chip: Type.String({
      pattern: '^gpiochip[0-9]{1,3}$',
      description: 'Character device below `/dev` (`gpiochip0`).',
      ...restart,
    }),
    line: Type.Integer({ minimum: 0, maximum: 1_023, description: 'Offset on the chip.', ...restart }),
    activeLow: Type.Boolean({ default: false, ...restart }),
  },
  {
    additionalProperties: false,
    description: 'Read by `gpioget` of Debian’s package gpiod (1.6), which is not installed by itself.',
  },
);

const UNIT_LITERALS = (Object.keys(UNIT_CODES) as UnitCode[]).map((code) => Type.Literal(code));

/** One quantity of a device: where it is read, what it means, and what can be believed of it. */
export const SensorReading = Type.Object(
  {
    metric: Type.String({
      pattern: '^[a-z][A-Za-z0-9]*$',
      maxLength: 40,
      description: 'Quantity in camelCase without its unit (`waterLevel`).',
      ...restart,
    }),
    channel: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
        maxLength: 32,
        description: 'Tells two readings of one quantity apart: a lane, a phase.',
        ...restart,
      }),
    ),
    from: Type.Union([RegisterPlace, JsonPlace, ContactPlace, GpioPlace]),
    scale: Type.Number({ default: 1, description: 'The raw number is multiplied by it …', ...restart }),
    offset: Type.Number({ default: 0, description: '… and then this is added.', ...restart }),
    unit: Type.Union(UNIT_LITERALS, {
      description: 'UCUM code of the value after scale and offset. A known quantity has one unit.',
      ...restart,
    }),
    manner: Type.Optional(
      Type.Union(
        READING_MANNERS.map((manner) => Type.Literal(manner)),
        {
          description:
            'What readings of a window become. Absent: as its quantity has it, or `mean`. `sum` only for quantities that are known to add up.',
          ...restart,
        },
      ),
    ),
    counter: Type.Optional(
      Type.Object(
        {
          modulus: Type.Number({
            exclusiveMinimum: 1,
            description: 'The raw number after its greatest is 0 again: 65536, 4294967296, 1000000.',
            ...restart,
          }),
        },
        {
          additionalProperties: false,
          description: 'The device counts on and on; the reading is how much it went on since the last one.',
        },
      ),
    ),
    noValue: Type.Array(Type.Number(), {
      maxItems: 16,
      default: [],
      description: 'Raw numbers by which the device says that it has no value (32767, 65535).',
      ...restart,
    }),
    quality: Type.Union([Type.Literal('good'), Type.Literal('uncertain')], {
      default: 'good',
      description: 'The best that can be said of it: an estimate or an uncalibrated sensor is uncertain.',
      ...restart,
    }),
    low: Type.Optional(Type.Number({ description: 'Less than this was not measured.', ...restart })),
    high: Type.Optional(Type.Number({ description: 'More than this was not measured.', ...restart })),
    change: Type.Optional(
      Type.Object(
        {
          step: Type.Number({ minimum: 0, description: 'At once.', ...restart }),
          perMinute: Type.Number({
            minimum: 0,
            description: 'For each minute between two readings.',
            ...restart,
          }),
        },
        { additionalProperties: false, description: 'By how much two readings may differ.' },
      ),
    ),
    stuckAfterMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The same number for longer than this is no measurement, ms. 0: it may rest.',
        ...restart,
      }),
    ),
    rests: Type.Optional(
      Type.Array(Type.Number(), {
        maxItems: 16,
        description: 'Numbers at which it may rest for any time.',
        ...restart,
      }),
    ),
    intervalMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 86_400_000,
        description: 'How often it is read or expected, ms; absent: as the sensor.',
        ...restart,
      }),
    ),
    deadBand: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'A window that differs less from the last one told is left out until the heartbeat.',
        ...restart,
      }),
    ),
  },
  { additionalProperties: false, description: 'One quantity of a device.' },
);
export type SensorReading = Static<typeof SensorReading>;

const IntervalMs = Type.Integer({
  minimum: 100,
  maximum: 86_400_000,
  default: 10_000,
  description: 'How often the device is read, or its messages are expected, ms.',
  ...restart,
});

/** A sensor of a gateway: a device, how it is reached, and what it measures. */
export const SensorProfile = Type.Object(
  {
    name: Slug,
    source: SensorSource,
    beside: Type.Optional(
      Type.Object(
        {
          camera: Slug,
          tripwire: Type.Optional(Slug),
        },
        {
          additionalProperties: false,
          description:
            'The camera that the sensor stands beside: they check each other. `tripwire`: the line of its scene that lies over the loop.',
          ...restart,
        },
      ),
    ),
    template: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 400,
        description: 'File with the readings of this kind of device, relative to the profile.',
        ...restart,
      }),
    ),
    intervalMs: IntervalMs,
    windowMs: Type.Integer({
      minimum: 1_000,
      maximum: 3_600_000,
      default: 60_000,
      description: 'Readings of so long become one figure, ms.',
      ...restart,
    }),
    heartbeatMs: Type.Integer({
      minimum: 1_000,
      maximum: 86_400_000,
      default: 900_000,
      description: 'What does not change is told this often all the same, ms.',
      ...restart,
    }),
    readings: Type.Array(SensorReading, {
      maxItems: 128,
      default: [],
      description: 'Beside those of the template; one of the same metric and channel takes its place.',
    }),
  },
  { additionalProperties: false, description: 'A device with one or more quantities.' },
);
export type SensorProfile = Static<typeof SensorProfile>;

/** The readings of a kind of device, written once for many profiles. */
export const SensorTemplate = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    name: Slug,
    device: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'What it describes, and after which source.',
    }),
    readings: Type.Array(SensorReading, { minItems: 1, maxItems: 128 }),
  },
  { additionalProperties: false, $id: 'SensorTemplate', description: 'Register map of a kind of device.' },
);
export type SensorTemplate = Static<typeof SensorTemplate>;
