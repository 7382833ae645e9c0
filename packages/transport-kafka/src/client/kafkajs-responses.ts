/** Responses of the broker as kafkajs decodes them. */
export interface RawProduce {
  readonly topics: readonly {
    topicName: string;
    partitions: readonly { partition: number; errorCode: number; baseOffset: string; logAppendTime?: string }[];
  }[];
}

export interface RawOffsets {
  readonly responses: readonly {
    topic: string;
    partitions: readonly { partition: number; errorCode: number; offset: string }[];
  }[];
}

export interface RawConfigs {
  readonly resources: readonly {
    errorCode: number;
    resourceName: string;
    configEntries: readonly { configName: string; configValue: string | null }[];
  }[];
}

export interface RawJoin {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generationId: number;
  readonly members: readonly { memberId: string; memberMetadata: Buffer }[];
}

export interface RawCommits {
  readonly responses: readonly { topic: string; partitions: readonly { partition: number; errorCode: number }[] }[];
}

export interface RawCommitted {
  readonly errorCode?: number;
  readonly responses: readonly {
    topic: string;
    partitions: readonly { partition: number; offset: string; metadata: string | null; errorCode: number }[];
  }[];
}

export interface RawTopicErrors {
  readonly topicErrors: readonly { topic: string; errorCode: number; errorMessage?: string }[];
}

export interface RawOldMetadata {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topicMetadata: readonly {
    topicErrorCode: number;
    topic: string;
    partitionMetadata: readonly {
      partitionId: number;
      leader: number;
      replicas: readonly number[];
      isr: readonly number[];
    }[];
  }[];
}
