import type { CollectionItemType, TestQuestion } from '../../entities/portal'

type Question = Pick<TestQuestion, 'type' | 'prompt' | 'options' | 'correctOption' | 'maxScore'>

const choice = (prompt: string, options: string[], correctOption: number): Question => ({
  type: 'multiple-choice',
  prompt,
  options,
  correctOption,
  maxScore: 2,
})

const essay = (prompt: string): Question => ({
  type: 'essay',
  prompt,
  options: [],
  correctOption: null,
  maxScore: 10,
})

export interface TestContent {
  title: string
  attemptLimit: number
  timeLimitSeconds: number | null
  questions: readonly Question[]
}

/** Needs no marking by a person. */
export const autoMarkedTestContent: TestContent = {
  title: 'Physiology: the heart',
  attemptLimit: 3,
  timeLimitSeconds: 3600,
  questions: [
    choice('How many chambers has the heart?', ['Two', 'Three', 'Four'], 2),
    choice('Which vessel carries blood to the lungs?', ['Aorta', 'Pulmonary artery', 'Vena cava'], 1),
    choice('Where does the beat begin?', ['Sinoatrial node', 'Atrioventricular node', 'Bundle of His'], 0),
    choice('Which valve has two leaflets?', ['Tricuspid', 'Aortic', 'Mitral'], 2),
  ],
}

export const essayTestContent: TestContent = {
  title: 'Physiology: final paper',
  attemptLimit: 1,
  timeLimitSeconds: null,
  questions: [
    choice('Which cells carry oxygen?', ['Red cells', 'White cells', 'Platelets'], 0),
    choice('What makes insulin?', ['Liver', 'Pancreas', 'Spleen'], 1),
    essay('Describe the cardiac cycle.'),
    essay('Compare the systemic and the pulmonary circulation.'),
  ],
}

export const collectionContent: readonly { type: CollectionItemType; title: string }[] = [
  { type: 'article', title: 'Anatomy of the heart' },
  { type: 'video', title: 'A beat in slow motion' },
  { type: 'document', title: 'Reading list' },
  { type: 'link', title: 'Physiology society' },
]
