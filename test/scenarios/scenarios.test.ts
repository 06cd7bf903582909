import { playScenarios } from './play.ts'

playScenarios(import.meta.dirname)
