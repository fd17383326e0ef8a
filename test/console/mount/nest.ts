import 'reflect-metadata'
import { Controller, Get, type INestApplication, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Outbox } from 'synap-outbox'
import { createConsole } from 'synap-outbox/console'
import { operatorOf } from './operator'

@Controller()
class AppController {
  @Get()
  index(): string {
    return 'the application'
  }
}

@Module({ controllers: [AppController] })
class AppModule {}

export async function createApp(outbox: Outbox): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule, { logger: false })
  app.use(createConsole({ outbox, authorize: operatorOf }))
  return app
}
