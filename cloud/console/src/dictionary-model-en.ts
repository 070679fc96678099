import type { modelVi } from './dictionary-model-vi.ts';

/** Words about the models of a node. */
export const modelEn: Readonly<Record<keyof typeof modelVi, string>> = {
  'models.title': 'Models: {count}',
  'models.title.trouble': 'Models: {count}, to be looked at: {trouble}',
  'models.column.use': 'Used to',
  'models.column.name': 'Name',
  'models.column.digest': 'SHA-256',
  'models.column.state': 'State',
  'models.use.road-users': 'find road users',
  'models.use.lamp': 'read signal lamps',
  'models.use.helmet': 'tell helmets',
  'models.use.occupants': 'count riders',
  'models.use.face-blur': 'blur faces',
  'models.use.plate-blur': 'blur plates',
  'models.use.plate-finder': 'find plates',
  'models.use.plate-reader': 'read plates',
  'models.use.mask': 'tell masks',
  'models.use.eye': 'find eyes at screening gates',
  'models.state.serving': 'in use since {since}',
  'models.state.loading': 'being loaded',
  'models.state.absent': 'not supplied',
  'models.state.refused': 'refused: {code}',
  'models.refused': '{name} refused at {at}: {code}; the model before stays in use',
  'models.unnamed': 'a new model',
};
