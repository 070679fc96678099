import { Command } from 'commander';
import { addAnomalyEvaluation } from './eval-anomalies-command.ts';
import { addBlurEvaluation } from './eval-blur-command.ts';
import { addDetectorEvaluation } from './eval-detector-command.ts';
import { addFeverEvaluation } from './eval-fever-command.ts';
import { addHelmetEvaluation } from './eval-helmets-command.ts';
import { addLampEvaluation } from './eval-lamps-command.ts';
import { addMaskEvaluation } from './eval-masks-command.ts';
import { addOccupantEvaluation } from './eval-occupants-command.ts';
import { addPlateDetectorEvaluation } from './eval-plate-detector-command.ts';
import { addPlateEvaluation } from './eval-plates-command.ts';
import { addRuleEvaluation } from './eval-rules-command.ts';
import { addSpeedEvaluation } from './eval-speed-command.ts';
import { addTrackerEvaluation } from './eval-tracker-command.ts';
import { addViolationEvaluation } from './eval-violations-command.ts';

/** `ngatu eval NAME --data DIR`. */
export function buildCommand(): Command {
  const command = new Command('eval').description(
    'Measure quality on data with truth: prints a table; --json writes the metrics, --predictions what was predicted.',
  );
  addViolationEvaluation(command);
  addDetectorEvaluation(command);
  addRuleEvaluation(command);
  addFeverEvaluation(command);
  addHelmetEvaluation(command);
  addLampEvaluation(command);
  addMaskEvaluation(command);
  addOccupantEvaluation(command);
  addBlurEvaluation(command);
  addPlateEvaluation(command);
  addPlateDetectorEvaluation(command);
  addSpeedEvaluation(command);
  addTrackerEvaluation(command);
  addAnomalyEvaluation(command);
  return command;
}
