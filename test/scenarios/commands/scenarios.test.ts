// Of commands other than `release` and those that look at releases: with conformance.
import { playScenarios } from '../play.ts'

playScenarios(import.meta.dirname)
