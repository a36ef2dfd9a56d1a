import { keyOf, SECTIONS, type Setting, type SettingName, variableOf } from './config.ts';
import { permitted } from './config-file.ts';

const HEAD = `# Settings of a vertebra agent. A line that begins with # and a name shows a default:
# take the # away to change it. A flag of the command line wins over the environment, which
# wins over this file.
`;

/** Sections come after all settings: what follows a section's title belongs to it. */
const DEVICES = `
# What is connected to this machine: docs/hardware.md. Keep them at the end of the file.

#   [[devices]]
#   name = "fan"
#   kind = "gpio"
#   pin = "GPIO17"
#   direction = "out"
#   safe = "low"
#   labels = ["site=greenhouse-3"]
`;

/**
 * Writes `vertebra.toml`: every setting with what it is for, commented out unless given.
 *
 * @param given Values to set.
 */
export function formatConfigFile(
  given: Partial<Record<SettingName, string | number>> = {},
): string {
  const parts = SECTIONS.map(({ title, settings }) => {
    const lines = Object.entries(settings).map(([name, setting]) =>
      formatSetting(name as SettingName, setting, given[name as SettingName]),
    );
    return `\n# ${title}\n\n${lines.join('\n')}`;
  });
  return HEAD + parts.join('') + DEVICES;
}

function formatSetting(
  name: SettingName,
  setting: Setting,
  value: string | number | undefined,
): string {
  const mark = value === undefined ? '# ' : '';
  // A JSON text, number or list of texts reads the same in TOML.
  const shown = JSON.stringify(value ?? setting.default);
  return (
    `# ${setting.description}\n# ${permitted(setting)}; ${variableOf(name)}\n` +
    `${mark}${keyOf(name)} = ${shown}\n`
  );
}
