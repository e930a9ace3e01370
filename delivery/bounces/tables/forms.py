"""How bounces in free text begin: subjects and sentences by which they are known (lower case)."""

from delivery.bounces.tables.row import phrases

SUBJECTS = phrases(
    """
    undeliver | not deliver | non-deliver | nondeliver | non deliver | returned mail
    | returned to sender | return to sender | returned email | returned message | mail returned
    | delivery fail | delivery has failed | delivery problem | delivery error | delivery status
    | delivery report | delivery notification | delivery unsuccessful | deliver error
    | failed delivery | failed mail | failure notice | failure notification | failure delivery
    | delivery failure | mail failure | mail failed | mail error | mail status report
    | mail system error | mail delivery | message delivery | message not | message undeliv
    | message could not | message status | can't be delivered | could not be delivered
    | could not deliver | couldn't be delivered | couldn't deliver | cannot be delivered
    | unable to deliver | unable to send | was not delivered | wasn't delivered | not sent
    | not be sent | unknown user | user unknown | unknown address | unknown recipient
    | unknown domain | no such user | host unknown | bounce | bounced | rejected | blocked
    | nondeliverable | undelivery | error sending | error in delivery | problem delivering
    | sending failed | ndr | ndn | warning: could not | warning: message | delivery delayed
    | message delayed | delayed mail | still undelivered | not yet been delivered | mailbox full
    | mailbox is full | over quota | address error | e-mail error | unzustellbar
    | nicht zustellbar | nicht zugestellt | nicht ausgeliefert | zustellung | fehler bei der
    | unzustellbare | übermittlung | mail konnte nicht | non remis | non remise | non distribu
    | non délivr | échec de la remise | échec de remise | échec d'envoi | échec de livraison
    | impossible de remettre | courrier retourné | retour de courrier | no se puede entregar
    | no se ha podido | no se pudo entregar | no entregado | no entregable | sin entregar
    | error de entrega | fallo de entrega | correo devuelto | mensaje devuelto | devuelto al
    | não é possível entregar | não entregue | não foi entregue | não pôde ser | falha na entrega
    | falha de entrega | erro de entrega | devolvid | retorno de | mancato recapito | non recapit
    | impossibile recapitare | non consegnat | mancata consegna | errore di consegna
    | errore nella consegna | onbestelbaar | kan niet worden bezorgd | niet bezorgd
    | niet afgeleverd | niedostarcz | nie dostarczon | nie można dostarczyć | zwrot
    | nie doręczon | nedoručiteln | nedoručen | nelze doručit | går inte att leverera
    | kunde inte levereras | olevererbart | kan ikke leveres | ikke leveret | ikke levert
    | toimitus | ei voitu toimittaa | kézbesíthetetlen | teslim edilemedi | teslim edilemeyen
    | imposibil de livrat | не доставлен | недоставлен | не удалось доставить
    | не может быть доставлен | возврат | невозможно доставить | не отправлен | ошибка доставки
    | αδύνατη παράδοση | 配信不能 | 配信できません | 配送できません | 配信エラー | 配送エラー
    | 送信エラー | 送信失敗 | 送信できません | 配信失敗 | 配送失敗 | 配信不可 | 未配信 | 不達
    | 届きません | エラーメール | リターンメール | 宛先不明 | 返信エラー | メールエラー
    | 投递失败 | 退信 | 无法投递 | 未送达 | 发送失败 | 系统退信 | 無法傳遞 | 無法投遞 | 退件
    | 배달되지 | 반송 | 전송 실패 | 발송 실패
    """
)

SENTENCES = phrases(
    """
    this is the qmail-send program | this is the qmail | i'm afraid i wasn't able to deliver
    | i wasn't able to deliver | wasn't able to deliver your message
    | message was created automatically by mail delivery software
    | created automatically by the mail delivery software | a message that you sent could not be
    | a message that you sent was | a message that you have sent could not be
    | a message sent by <@> could not | following addresses had permanent
    | following addresses had delivery | following addresses failed | following address failed
    | following addresses have | following recipients failed | following recipient failed
    | following recipient(s) | following recipients | following recipient | following address
    | following users | transcript of session follows | did not reach the following
    | did not reach some or all | could not be delivered | couldn't be delivered
    | could not be sent | could not deliver | couldn't deliver | cannot be delivered
    | can't be delivered | can not be delivered | cannot deliver | can't deliver
    | not be delivered | not delivered | not been delivered | was not sent | was undeliverable
    | is undeliverable | undeliverable | undelivered | unable to deliver | unable to send
    | unable to be delivered | delivery to the following | delivery has failed | delivery failed
    | delivery failure | delivery of | delivery status | delivery report | delivery error
    | failed to deliver | fails to deliver | fail to deliver | failed recipient | failure notice
    | was rejected by | has been rejected | message was rejected | was refused | refused by
    | being returned | is being returned | returned to you | returned to sender | been returned
    | returning your | returned mail | your message wasn't delivered | wasn't delivered to
    | message not delivered | there was a problem delivering | there was an error delivering
    | error delivering | problem delivering | error occurred while | an error occurred
    | encountered an error | non-delivery | nondelivery | non delivery | your mail to
    | mail delivery | bounced | message you sent to | message to the following | your message to
    | tried to deliver | attempted to deliver | attempted delivery | user unknown | unknown user
    | sorry to have to inform | konnte nicht zugestellt | nicht zugestellt werden
    | nicht zustellbar | unzustellbar | fehler beim zustellen | übermittlung an folgende
    | zustellung | n'a pas pu être remis | n'a pu être | n'ont pas pu | n'a pas été
    | impossible de remettre | échec de la remise | n'a pas pu | ne peut être
    | no se pudo entregar | no se ha podido | no pudo ser | no ha podido | no se puede entregar
    | error al entregar | no fue entregado | não foi possível entregar | não pôde ser
    | não pode ser | não foi entregue | impossibile consegnare | impossibile recapitare
    | non è stato possibile | non è stato consegnato | non è stato recapitato | kon niet worden
    | kan niet worden | niet worden bezorgd | nie mogła zostać | nie może zostać
    | nie została dostarczona | nie można dostarczyć | nie mogła być | nepodařilo se
    | nelze doručit | kunde inte levereras | kunne ikke leveres | ei voitu | teslim edilemedi
    | не удалось доставить | не может быть доставлен | не было доставлено | не доставлено
    | невозможно доставить | не удалось отправить | 配信できません | 配送できません
    | 配送出来ません | 送信できません | 送信に失敗 | 配信に失敗 | 配送に失敗 | 届きません
    | 届けられません | お届けできません | 配信されません | 配信されていません
    | 配送されていません | 送信されません | 配信不能 | エラーが発生 | 送信エラー | 返送 | 返却
    | 戻りました | 戻って | 以下のメール | 无法送达 | 无法投递 | 未能送达 | 投递失败 | 发送失败
    | 退回 | 退信 | 无法发送 | 無法傳遞 | 無法投遞 | 無法傳送 | 배달할 수 없 | 전달되지 | 반송
    | 전송하지 못
    """
)

DELAYS = phrases(
    """
    this is a warning message only | you do not need to resend | do not need to resend your
    | not need to resend | no action is required | no action needs to be taken
    | warning message only | has not yet been delivered | have not yet been delivered
    | not yet been delivered | has not been delivered yet | could not yet be delivered
    | still undelivered | still could not be delivered | still being attempted | still trying
    | still in the queue | will keep trying | will continue to try | continue trying
    | will be tried again | will be retried | will retry | will try again
    | keep trying to deliver | will be attempted | attempts will continue
    | delivery attempts will continue | attempts to deliver the message will continue
    | has been delayed | is delayed | been delayed | delivery is delayed | was delayed
    | message delayed | delayed mail | delivery delayed | delivery status notification (delay)
    | delivery status notification(delay) | transient problem | temporary problem delivering
    | wird verzögert | verzögert sich | wurde noch nicht zugestellt | noch nicht zugestellt
    | a été retardé | est retardé | pas encore été remis | se ha retrasado
    | aún no se ha entregado | retrasado | está atrasada | atrasada | ritardo | opóźnion
    | nie została jeszcze | задерживается | задержка | ещё не доставлено | еще не доставлено
    | 遅延 | まだ配信 | まだ配送 | 再送を試み | 再送信を試み | 延迟 | 延遲 | 지연
    """
)
"""What a server says that goes on trying."""

ENDS = phrases(
    """
    permanent error | permanent fatal error | permanently failed | permanent failure
    | i've given up | giving up | no longer be tried | no further attempts | will not be retried
    | failed permanently | returned to sender
    """
)
"""What it says when it has stopped."""
