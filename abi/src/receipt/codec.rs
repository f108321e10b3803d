//! Canonical bytes of a receipt.

use super::{Event, GasUsed, Inference, Kind, OutboxMessage, PqcCheck, Receipt, Status, VERSION};
use crate::codec::{DecodeError, Reader, Writer};
use crate::{Address, Digest, TrapCode, Word};

const MAGIC: &[u8] = b"AIVM-RECEIPT";
const DOMAIN: &str = "AIVM receipt v1";
const MAX_TOPICS: u64 = 4;

impl Receipt {
    /// The one binary form of this receipt.
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        // More than most receipts take.
        let mut out = Writer::with_capacity(1024);
        out.raw(MAGIC);
        out.u16(VERSION);
        out.u64(self.chain_id);
        out.bytes(self.network.as_bytes());
        out.u64(self.block_height);
        out.u64(self.block_time);
        out.raw(&self.tx_hash.0);
        out.u8(match self.kind {
            Kind::Deploy => 1,
            Kind::Call => 2,
            Kind::Query => 3,
        });
        out.raw(&self.caller.0);
        out.raw(&self.contract.0);
        match self.status {
            Status::Return => out.u8(0),
            Status::Revert => out.u8(1),
            Status::Trap(code) => {
                out.u8(2);
                out.u32(code.code());
            }
        }
        out.u64(self.gas_limit);
        let GasUsed {
            execution,
            host,
            storage,
            inference,
            upload,
            pq,
        } = self.gas;
        for gas in [execution, host, storage, inference, upload, pq] {
            out.u64(gas);
        }
        out.bytes(&self.output);
        out.list(&self.events, |out, event| {
            out.raw(&event.contract.0);
            out.list(&event.topics, |out, topic| out.raw(&topic.to_be_bytes()));
            out.bytes(&event.data);
        });
        out.raw(&self.state_delta.0);
        out.option(self.state_root_before.as_ref(), |out, root| {
            out.raw(&root.0)
        });
        out.option(self.state_root_after.as_ref(), |out, root| out.raw(&root.0));
        out.list(&self.inferences, |out, inference| {
            out.raw(&inference.model.0);
            out.raw(&inference.contract.0);
            out.u64(inference.gas);
            out.u64(inference.macs);
        });
        out.list(&self.pqc, |out, check| {
            out.bytes(check.scheme.as_bytes());
            out.raw(&check.contract.0);
            out.bool(check.ok);
            out.u64(check.gas);
        });
        out.raw(&self.transcript.0);
        out.option(self.inference_trace.as_ref(), |out, root| out.raw(&root.0));
        out.raw(&self.schedule.0);
        if !self.outbox.is_empty() {
            out.list(&self.outbox, |out, message| message.write(out));
        }
        out.finish()
    }

    /// Reads canonical bytes. What it accepts, [`to_canonical_bytes`](Self::to_canonical_bytes)
    /// writes the same way.
    ///
    /// # Errors
    ///
    /// The field and the place where the bytes are not a receipt.
    pub fn from_canonical_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        input.magic(MAGIC, "a receipt")?;
        input.version("receipts", VERSION)?;
        let receipt = Self {
            chain_id: input.u64("chain id")?,
            network: input.text("network")?.to_owned(),
            block_height: input.u64("block height")?,
            block_time: input.u64("block time")?,
            tx_hash: digest(&mut input, "transaction hash")?,
            kind: input.tag("kind", |tag| match tag {
                1 => Some(Kind::Deploy),
                2 => Some(Kind::Call),
                3 => Some(Kind::Query),
                _ => None,
            })?,
            caller: address(&mut input, "caller")?,
            contract: address(&mut input, "contract")?,
            status: status(&mut input)?,
            gas_limit: input.u64("gas limit")?,
            gas: GasUsed {
                execution: input.u64("execution gas")?,
                host: input.u64("host gas")?,
                storage: input.u64("storage gas")?,
                inference: input.u64("inference gas")?,
                upload: input.u64("upload gas")?,
                pq: input.u64("PQ-Gas")?,
            },
            output: input.bytes("output")?.to_vec(),
            events: input.list("events", 28, event)?,
            state_delta: digest(&mut input, "state delta")?,
            state_root_before: input.option("state root before", |input| {
                digest(input, "state root before")
            })?,
            state_root_after: input.option("state root after", |input| {
                digest(input, "state root after")
            })?,
            inferences: input.list("inferences", 68, |input| {
                Ok(Inference {
                    model: digest(input, "model")?,
                    contract: address(input, "inference contract")?,
                    gas: input.u64("inference gas")?,
                    macs: input.u64("inference macs")?,
                })
            })?,
            pqc: input.list("PQC log", 33, |input| {
                Ok(PqcCheck {
                    scheme: input.text("scheme")?.to_owned(),
                    contract: address(input, "PQC contract")?,
                    ok: input.bool("PQC outcome")?,
                    gas: input.u64("PQ-Gas of a check")?,
                })
            })?,
            transcript: digest(&mut input, "transcript")?,
            inference_trace: input
                .option("inference trace", |input| digest(input, "inference trace"))?,
            schedule: digest(&mut input, "schedule")?,
            outbox: match input.is_empty() {
                true => Vec::new(),
                false => outbox(&mut input)?,
            },
        };
        input.end()?;
        Ok(receipt)
    }

    /// BLAKE3 of the canonical bytes, under the domain of receipts.
    pub fn hash(&self) -> Digest {
        Digest::of(DOMAIN, &self.to_canonical_bytes())
    }
}

fn digest(input: &mut Reader<'_>, field: &'static str) -> Result<Digest, DecodeError> {
    input.array(field).map(Digest)
}

fn address(input: &mut Reader<'_>, field: &'static str) -> Result<Address, DecodeError> {
    input.array(field).map(Address)
}

fn status(input: &mut Reader<'_>) -> Result<Status, DecodeError> {
    let at = input.at();
    match input.u8("status")? {
        0 => Ok(Status::Return),
        1 => Ok(Status::Revert),
        2 => {
            let at = input.at();
            let value = input.u32("trap code")?;
            TrapCode::from_code(value)
                .map(Status::Trap)
                .ok_or(DecodeError::Tag {
                    at,
                    field: "trap code",
                    value,
                })
        }
        value => Err(DecodeError::Tag {
            at,
            field: "status",
            value: u32::from(value),
        }),
    }
}

/// The messages at the end, of which there is at least one.
fn outbox(input: &mut Reader<'_>) -> Result<Vec<OutboxMessage>, DecodeError> {
    let at = input.at();
    let field = "outbox";
    let messages = input.list(field, 44, |input| {
        Ok(OutboxMessage {
            contract: address(input, "sender of a message")?,
            destination: input.u64("destination of a message")?,
            sequence: input.u64("sequence number of a message")?,
            recipient: input.bytes("recipient of a message")?.to_vec(),
            payload: input.bytes("payload of a message")?.to_vec(),
        })
    })?;
    match messages.is_empty() {
        true => Err(DecodeError::NotCanonical { at, field }),
        false => Ok(messages),
    }
}

fn event(input: &mut Reader<'_>) -> Result<Event, DecodeError> {
    let contract = address(input, "event contract")?;
    let at = input.at();
    let topics = input.list("topics", 32, |input| {
        input.array("topic").map(Word::from_be_bytes)
    })?;
    if topics.len() as u64 > MAX_TOPICS {
        return Err(DecodeError::TooLong {
            at,
            field: "topics",
            found: topics.len() as u64,
            limit: MAX_TOPICS,
        });
    }
    Ok(Event {
        contract,
        topics,
        data: input.bytes("event data")?.to_vec(),
    })
}
