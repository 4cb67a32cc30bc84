import { addAdmin } from './commands/admin.ts';
import { addAudit } from './commands/audit.ts';
import { addBootstrapping } from './commands/bootstrapping.ts';
import { addChecking } from './commands/checking.ts';
import { addComparing } from './commands/comparing.ts';
import { addCompleting } from './commands/completing.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplaining } from './commands/explaining.ts';
import { addExporting } from './commands/exporting.ts';
import { addImporting } from './commands/importing.ts';
import { addKeys } from './commands/keys.ts';
import { addListing } from './commands/listing.ts';
import { addLogin } from './commands/login.ts';
import { addNotifications } from './commands/notifications.ts';
import { addPromoting } from './commands/promoting.ts';
import { addReading } from './commands/reading.ts';
import { addReminders } from './commands/reminders.ts';
import { addRemoving } from './commands/removing.ts';
import { addRotation } from './commands/rotation.ts';
import { addRunning } from './commands/running.ts';
import { addRuns } from './commands/runs.ts';
import { addSecrets } from './commands/secrets.ts';
import { addStages } from './commands/stages.ts';
import { addUpdating } from './commands/updating.ts';
import type { Family } from './program.ts';

/**
 * Every family of commands, in the order of the help. A family is a file: it says what it adds and its words.
 * One without words needs to know all the others.
 */
export const families: readonly Family[] = [
  { file: 'secrets', below: 'secrets', words: ['set', 'rotate', 'rollback'], add: addSecrets },
  { file: 'updating', below: 'secrets', words: ['update', 'rotator'], add: addUpdating },
  { file: 'rotation', below: 'secrets', words: ['rotation'], add: addRotation },
  { file: 'stages', below: 'secrets', words: ['activate', 'abandon', 'prune'], add: addStages },
  { file: 'removing', below: 'secrets', words: ['delete', 'restore'], add: addRemoving },
  { file: 'listing', below: 'secrets', words: ['list', 'history'], add: addListing },
  { file: 'reading', below: 'secrets', words: ['get'], add: addReading },
  { file: 'reminders', below: 'secrets', words: ['due', 'ack', 'snooze'], add: addReminders },
  { file: 'audit', below: 'secrets', words: ['audit'], add: addAudit },
  { file: 'checking', below: 'secrets', words: ['check'], add: addChecking },
  { file: 'explaining', below: 'secrets', words: ['explain'], add: addExplaining },
  { file: 'running', below: 'secrets', words: ['run'], add: addRunning },
  { file: 'exporting', below: 'secrets', words: ['export'], add: addExporting },
  { file: 'importing', below: 'secrets', words: ['import'], add: addImporting },
  { file: 'comparing', below: 'secrets', words: ['diff'], add: addComparing },
  { file: 'promoting', below: 'secrets', words: ['promote'], add: addPromoting },
  { file: 'runs', below: null, words: ['runs'], add: addRuns },
  { file: 'keys', below: null, words: ['keys'], add: addKeys },
  { file: 'login', below: null, words: ['login'], add: addLogin },
  { file: 'doctor', below: null, words: ['doctor'], add: addDoctor },
  { file: 'completing', below: null, words: [], add: addCompleting },
  { file: 'notifications', below: null, words: ['notifications'], add: addNotifications },
  { file: 'bootstrapping', below: null, words: ['bootstrap'], add: addBootstrapping },
  { file: 'admin', below: null, words: ['admin'], add: addAdmin },
];
