//! Evens out the counts: from the fullest worker to the emptiest, as long as they differ by more than one.

use std::cmp::Reverse;

use super::board::{Board, Kind, Origin, Piece};
use crate::Revocation;

/// Every move makes the sum of the squared counts smaller, so this ends, and repeated planning does not run in circles.
pub(super) fn rebalance(board: &mut Board<'_>, mut budget: usize) -> Vec<Revocation> {
    let mut revocations = Vec::new();
    for kind in [Kind::Task, Kind::Connector] {
        while let Some(Move { from, to, at }) = best_move(board, kind, budget) {
            let mut piece = board.take(from, kind, at);
            if piece.origin == Origin::Held {
                revocations.push(board.move_of(&piece, from, to));
                piece.origin = Origin::Coming;
                budget -= 1;
            }
            board.lay(to, piece);
        }
    }
    revocations
}

struct Move {
    from: usize,
    to: usize,
    /// Among the pieces of `from`.
    at: usize,
}

fn best_move(board: &Board<'_>, kind: Kind, budget: usize) -> Option<Move> {
    let mut by_load: Vec<usize> = (0..board.worker_count()).collect();
    by_load.sort_by_key(|worker| Reverse(board.load(*worker, kind)));
    for &from in &by_load {
        for &to in by_load.iter().rev() {
            if board.load(from, kind) < board.load(to, kind) + 2 {
                break;
            }
            if let Some(at) = best_piece(board, kind, (from, to), budget) {
                return Some(Move { from, to, at });
            }
        }
    }
    None
}

/// The piece whose connector has the most tasks on `from` compared with `to`, so that moves spread connectors.
fn best_piece(board: &Board<'_>, kind: Kind, (from, to): (usize, usize), budget: usize) -> Option<usize> {
    let there = board.pieces(to, kind);
    let mut there_at = 0;
    let mut best: Option<(isize, usize)> = None;
    let mut at = 0;
    for here in board
        .pieces(from, kind)
        .chunk_by(|one, next| one.rank == next.rank)
    {
        let rank = here[0].rank;
        there_at += there[there_at..].partition_point(|piece| piece.rank < rank);
        let there_count = there[there_at..]
            .iter()
            .take_while(|piece| piece.rank == rank)
            .count();
        let gain = here.len().cast_signed() - there_count.cast_signed();
        let movable = here.iter().position(|piece| may_move(board, piece, to, budget));
        if let Some(offset) = movable
            && best.is_none_or(|(best_gain, _)| gain > best_gain)
        {
            best = Some((gain, at + offset));
        }
        at += here.len();
    }
    best.map(|(_, at)| at)
}

fn may_move(board: &Board<'_>, piece: &Piece, to: usize, budget: usize) -> bool {
    let is_movable = match piece.origin {
        Origin::Held => budget > 0,
        Origin::Coming => false,
        Origin::Fresh => true,
    };
    is_movable && board.can_run(piece.class, to)
}
