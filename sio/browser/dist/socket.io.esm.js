// Sluice's Socket.IO client for browsers, minified (Apache-2.0). To read it: sio/browser/io.js in Sluice's source.
var f=class{#s=new Map;on(t,e){let s=this.#s.get(t);return s?s.push(e):this.#s.set(t,[e]),this}once(t,e){let s=(...i)=>{
this.off(t,s),e.apply(this,i)};return s.listener=e,this.on(t,s)}off(...t){let[e,s]=t,i=t.length>1?k(this.listeners(e),s):
[];return t.length?i.length?this.#s.set(e,i):this.#s.delete(e):this.#s.clear(),this}listeners(t){return[...this.#s.get(t)??
[]]}hasListeners(t){return this.#s.has(t)}_fire(t,...e){u(this.listeners(t),this,e)}},{prototype:m}=f;m.addEventListener=
m.on;m.removeListener=m.removeEventListener=m.removeAllListeners=m.off;function k(r,t){let e=r.findIndex(s=>s===t||s.listener===
t);return r.filter((s,i)=>i!==e)}function u(r,t,e){for(let s of r)try{s.apply(t,e)}catch(i){queueMicrotask(()=>{throw i})}}var l={OPEN:"0",CLOSE:"1",PING:"2",PONG:"3",MESSAGE:"4",UPGRADE:"5",NOOP:"6"},F=Object.keys(l).map(r=>r.toLowerCase());function O(r){
return typeof r!="string"?{type:"message",data:r}:{type:F[r[0]],data:r.slice(1)}}var c={CONNECT:0,DISCONNECT:1,EVENT:2,ACK:3,
CONNECT_ERROR:4},j=3,W=10,R=new Set(["connect","connect_error","disconnect","disconnecting","newListener","removeListene\
r"]);function y(r){return typeof Blob<"u"&&r instanceof Blob}function q(r){return r instanceof ArrayBuffer||ArrayBuffer.
isView(r)||y(r)}var T=class{encode({type:t,nsp:e,id:s="",data:i}){let n=[],o=JSON.stringify(i,function(_,V){let U=this[_];
return q(U)?{_placeholder:!0,num:n.push(U)-1}:V}),h=n.length?`${t+j}${n.length}-`:t,a=e==="/"?"":`${e},`;return[`${h}${a}${s}${o??
""}`,...n]}},S=class extends f{#s;#e;add(t){if(typeof t=="string"){if(this.#s)throw new Error("text came instead of an a\
ttachment");this.#s=z(t),this.#e=[]}else{if(!this.#s)throw new Error("an attachment came without its text");this.#e.push(
t)}if(this.#e.length<this.#s.attachments)return;let{type:e,nsp:s,id:i}=this.#s,n=J(this.#s,this.#e);this.destroy(),this.
_fire("decoded",{type:e,nsp:s,id:i,data:n})}destroy(){this.#s=void 0}},H=/^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)/;function z(r){
let t=H.exec(r);if(!t)throw new Error("unknown packet type");let[e,s,i,n="/",o]=t,h=s>c.CONNECT_ERROR,a=Number(i??0);if(h!==
a>0)throw new Error("illegal attachments");if(a>W)throw new Error("too many attachments");return{type:s-(h?j:0),nsp:n,id:o?
Number(o):void 0,attachments:a,json:r.slice(e.length)}}function J({type:r,json:t},e){let s=(n,o)=>{if(o?._placeholder!==
!0)return o;let h=Number.isInteger(o.num)&&e[o.num];if(!h)throw new Error("illegal attachments");return h},i=t?JSON.parse(
t,e.length?s:void 0):void 0;if(!K(r,i))throw new Error("invalid payload");return i}function K(r,t){let e=typeof t=="obje\
ct"&&t!==null&&!Array.isArray(t);switch(r){case c.CONNECT:return e||t===void 0;case c.DISCONNECT:return t===void 0;case c.
EVENT:return Array.isArray(t)&&(typeof t[0]=="number"||typeof t[0]=="string"&&!R.has(t[0]));case c.ACK:return Array.isArray(
t);case c.CONNECT_ERROR:return e||typeof t=="string"}}var Y=new TextEncoder;function b(r){return typeof r=="string"?Y.encode(
r):ArrayBuffer.isView(r)?new Uint8Array(r.buffer,r.byteOffset,r.byteLength):new Uint8Array(r)}function p(r){return typeof r==
"string"?b(r).length:r.byteLength??r.size}var M="";function g(r,t,e){return Object.assign(new Error(r),{type:"TransportError",description:t,context:e})}var x=class{name="\
polling";on={};bufferedAmount=0;#s;#e=new AbortController;#t=!1;#i=!1;#n;#r;constructor(t){this.#s=t}get writable(){return!this.#r&&
!this.#i&&!this.#t}open(){this.resume()}async pause(){this.#i=!0,await Promise.all([this.#n,this.#r])}resume(){this.#i=!1,
this.#n=this.#c()}take(t){let e=[],s=0;do s+=N(t[0])+1,e.push(t.shift());while(t.length&&s+N(t[0])<=this.#s.maxPayload);
this.bufferedAmount=s,this.#r=this.#o(e).finally(()=>{this.bufferedAmount=0,this.#r=void 0,this.on.drain?.()})}close(t){
if(this.#t)return;this.#t=!0,(t?this.#h("POST",l.CLOSE,{keepalive:!0}):Promise.resolve()).catch(()=>{}).finally(()=>this.#e.
abort())}async#c(){for(;!this.#t&&!this.#i;){let t;try{t=await(await this.#h("GET")).text()}catch(e){return this.#a("xhr\
 poll error",e)}for(let e of t.split(M)){if(this.#t)return;this.on.frame?.(e[0]==="b"?Q(e.slice(1)):e),await null}}}async#o(t){
try{let e=t.map(async s=>typeof s=="string"?s:`b${await X(s)}`);await this.#h("POST",(await Promise.all(e)).join(M))}catch(e){
this.#a("xhr post error",e)}}async#h(t,e,s){let{withCredentials:i,extraHeaders:n,requestTimeout:o}=this.#s.options(this.
name),{signal:h}=this.#e,a=await fetch(this.#s.url(this.name),{method:t,body:e,cache:"no-store",credentials:i?"include":
"same-origin",headers:{...n,...e&&{"Content-Type":"text/plain;charset=UTF-8"}},signal:o?AbortSignal.any([h,AbortSignal.timeout(
o)]):h,...s});if(a.status===200)return a;let{status:_}=a;throw{status:_,context:{status:_,responseText:await a.text()}}}#a(t,e){
this.#t||(this.close(),this.on.close?.("transport error",g(t,e.status??0,e.context??e)))}};function N(r){return typeof r==
"string"?p(r):1+4*Math.ceil(p(r)/3)}async function X(r){let t=b(y(r)?await r.arrayBuffer():r);if(t.toBase64)return t.toBase64();
let e=3*8192,s="";for(let i=0;i<t.length;i+=e)s+=btoa(String.fromCharCode(...t.subarray(i,i+e)));return s}function Q(r){
return Uint8Array.fromBase64?Uint8Array.fromBase64(r).buffer:Uint8Array.from(atob(r),t=>t.charCodeAt(0)).buffer}var v=class{name="websocket";on={};#s;#e;#t=!1;constructor(t){this.#s=t}get bufferedAmount(){return this.#e?.bufferedAmount??
0}get writable(){return this.#e?.readyState===1&&!this.#t}open(){let{WebSocket:t=globalThis.WebSocket,protocols:e=[]}=this.#s.
options(this.name),s;try{s=new t(this.#s.url(this.name),e)}catch(i){return queueMicrotask(()=>this.#i("transport error",
g("websocket error",i)))}s.binaryType="arraybuffer",s.onopen=()=>this.on.open?.(),s.onmessage=({data:i})=>!this.#t&&this.
on.frame?.(i),s.onerror=i=>this.#i("transport error",g("websocket error",i)),s.onclose=i=>this.#i("transport close",{description:"\
websocket connection closed",context:i}),this.#e=s}take(t){for(let e of t.splice(0))this.#e.send(e)}close(){this.#t=!0,this.#e?.
close()}#i(t,e){this.#t||(this.close(),this.on.close?.(t,e))}};var E=126,Z=127,P=128,tt=1e3,C=class{name="webtransport";on={};bufferedAmount=0;writable=!1;#s;#e;#t;#i=Promise.resolve();#n=!1;constructor(t){
this.#s=t}async open(){await null;let t=e=>this.#o("transport error",g("webtransport error",e));try{let{transportOptions:e}=this.#s.
opts;this.#e=new WebTransport(this.#s.url(this.name),e?.[this.name]),this.#e.closed.then(()=>this.#o("transport close"),
t),await this.#e.ready;let{readable:s,writable:i}=await this.#e.createBidirectionalStream();this.#t=i.getWriter(),this.writable=
!0;let{id:n}=this.#s;this.take([l.OPEN+(n?JSON.stringify({sid:n}):"")]),this.on.open?.(),await this.#c(s)}catch(e){this.#e||
t(e)}this.#e?.close()}take(t){for(let e of t.splice(0))this.bufferedAmount+=p(e),this.#i=this.#i.then(()=>this.#r(e)).catch(
()=>{})}close(){if(this.#n)return;this.#n=!0,this.writable=!1,this.#i.then(()=>this.#t?.close()).catch(()=>{}).then(()=>setTimeout(
()=>this.#e?.close(),this.#t?tt:0))}async#r(t){let e=p(t),s=et(e,typeof t!="string");if(y(t)){await this.#t.write(s);let i=t.
stream().getReader();for(let n;!(n=await i.read()).done;)await this.#t.write(n.value)}else{let i=new Uint8Array(s.length+
e);i.set(s),i.set(b(t),s.length),await this.#t.write(i)}this.bufferedAmount-=e}async#c(t){let e=st(t.getReader()),s=new TextDecoder;
for(;;){let[i]=await e(1),n=i&~P;n>=E&&(n=(await e(n===E?2:8)).reduce((h,a)=>h*256+a,0));let o=await e(n);this.#n||this.
on.frame?.(i&P?o.buffer:s.decode(o))}}#o(t,e={description:"webtransport session closed"}){this.#n||(this.close(),this.on.
close?.(t,e))}};function et(r,t){let e=r>65535,s=new DataView(new ArrayBuffer(r<E?1:e?9:3));return r>=E&&(e?s.setBigUint64(
1,BigInt(r)):s.setUint16(1,r),r=e?Z:E),s.setUint8(0,t?r|P:r),new Uint8Array(s.buffer)}function st(r){let t=new Uint8Array;
return async e=>{let s=new Uint8Array(e);for(let i=0;i<e;){if(!t.length){let{value:o,done:h}=await r.read();if(h)throw new Error(
"the stream has ended");t=o}let n=t.subarray(0,e-i);s.set(n,i),i+=n.length,t=t.subarray(n.length)}return s}}var L={polling:x,websocket:v,webtransport:C},it=64*1024,rt=200,A=!1,I=new Set;globalThis.addEventListener?.("offline",()=>{
for(let r of I)r()});var B=class extends f{transport;id;maxPayload=1/0;readyState="opening";#s;#e;#t=[];#i=new Set;#n=!1;#r;#c;#o=1/0;constructor(t,e){
super(),this.#s=t,this.opts={upgrade:!0,...e},this.#e=[...this.opts.transports??Object.keys(L)];let{rememberUpgrade:s,closeOnBeforeunload:i}=this.
opts;this.#h(s&&A&&this.#e.includes("websocket")?"websocket":this.#e[0]),t.hostname!=="localhost"&&I.add(this.#l),i&&globalThis.
addEventListener?.("beforeunload",this.#m)}get bufferedAmount(){return this.#t.reduce((t,e)=>t+p(e),this.transport.bufferedAmount)}get writable(){
return this.readyState==="open"&&this.transport.writable&&!this.#n&&this.bufferedAmount<it}write(t){if(this.readyState!==
"open")return;let e=t.map(s=>typeof s=="string"?l.MESSAGE+s:s);for(let s of e)this._fire("packetCreate",O(s));this.#t.push(
...e),this.#u()}close(){this.readyState==="opening"&&this.#f("forced close"),this.readyState==="open"&&(this.readyState=
"closing",this.#u())}options(t){return{...this.opts,...this.opts.transportOptions?.[t]}}url(t){let e=new URL(this.#s);if(t===
"webtransport")return e.protocol="https:",e.href;t==="websocket"&&(e.protocol=e.protocol.replace("http","ws"));let{query:s}=this.
options(t),n={...typeof s=="string"?Object.fromEntries(new URLSearchParams(s)):s,EIO:4,transport:t,...this.id&&{sid:this.
id}};for(let[o,h]of Object.entries(n))e.searchParams.set(o,h);return e.href}_stale(){let t=Date.now()>this.#o;return t&&
queueMicrotask(()=>this.#f("ping timeout")),t}#h(t){this.transport=this.#a(t),this.transport.on=this.#d(),this.transport.
open()}#a(t){if(!L[t])throw new Error(`unknown transport "${t}"`);return new L[t](this)}#d(){return{frame:t=>this.#w(t),
drain:()=>this.#u(),close:(t,e)=>this.#_(t,e)}}#l=()=>this.#f("transport close",{description:"network connection lost"});#m=()=>{
this.transport.on={},this.transport.close(!0)};#w(t){this.#p();let e=O(t);switch(this._fire("packet",e),e.type){case"ope\
n":return this.#b(e.data);case"close":return this.#f("transport close",{description:"transport closed by the server"});case"\
ping":return this.#t.unshift(l.PONG),this._fire("packetCreate",O(l.PONG)),this.#u(),this._fire("ping");case"message":return this.
_fire("message",e.data);case"noop":return}this.#_("transport error",Object.assign(new Error("server error"),{code:"parse\
r error"}))}#b(t){let e;try{let s=JSON.parse(t);this._fire("handshake",s),e=s.upgrades.filter(i=>this.opts.upgrade&&this.#e.
includes(i)),this.id=s.sid,this.maxPayload=s.maxPayload??1/0,this.#r=s.pingInterval+s.pingTimeout}catch(s){return this.#f(
"parse error",s)}this.readyState="open",A=this.transport.name==="websocket",this.#p();for(let s of e)this.#E(s,s==="webs\
ocket"&&e.includes("webtransport")?rt:0);this._fire("open")}#p(){this.readyState!=="open"&&this.readyState!=="closing"||
(clearTimeout(this.#c),this.#o=Date.now()+this.#r,this.#c=setTimeout(()=>this.#f("ping timeout"),this.#r))}#E(t,e){let s=this.#a(
t);s.on={open:()=>s.take([`${l.PING}probe`]),frame:i=>i===`${l.PONG}probe`?this.#A(s):this.#g(s),close:(i,n)=>this.#g(s,
n)},this.#i.add(s),A=!1,e?setTimeout(()=>this.#i.has(s)&&s.open(),e):s.open()}async#A(t){for(let e of this.#i)e!==t&&e.close();
this.#i=new Set([t]),this.#n=!0,this._fire("upgrading",t),await this.transport.pause(),!(!this.#i.delete(t)||this.readyState===
"closed")&&(this.transport=t,t.on=this.#d(),t.take([l.UPGRADE]),this.#n=!1,A=t.name==="websocket",this._fire("upgrade",t),
this.#u())}async#g(t,e){this.#i.delete(t)&&(t.close(),this._fire("upgradeError",Object.assign(new Error("probe error"),{
transport:t.name,details:e})),this.#n&&(await this.transport.pause(),this.transport.resume(),this.#n=!1),this.#u())}#u(){
if(this.readyState!=="open"&&this.readyState!=="closing"||this.#n||!this.transport.writable)return;let t=this.#t.splice(
0,this.#y());t.length&&this.transport.take(t),this.#t.unshift(...t),!(this.#t.length||!this.transport.writable)&&(this.readyState===
"closing"?this.#f("forced close"):this._fire("drain"))}#y(){if(!this.#i.size)return this.#t.length;let t=this.#t.findIndex(
s=>N(s)>this.maxPayload);if(t<0)return this.#t.length;let e=this.#t.slice(0,t+1).findLastIndex(s=>typeof s=="string");return e<
0?this.#t.length:e}#_(t,e){t==="transport error"&&(A=!1);let s=this.#e.filter(i=>i!==this.transport.name);if(!this.opts.
tryAllTransports||this.readyState!=="opening"||!s.length)return this.#f(t,e);this.#e=s,this.#h(s[0])}#f(t,e){if(this.readyState===
"closed")return;let s=this.readyState==="closing";this.readyState="closed",clearTimeout(this.#c),I.delete(this.#l),globalThis.
removeEventListener?.("beforeunload",this.#m),this.#t.length=0;for(let i of this.#i)i.close();this.#i.clear(),this.transport.
close(s),t==="transport error"&&this._fire("error",e),this._fire("close",t,e)}};var w=class extends f{connected=!1;recovered=!1;id;sendBuffer=[];receiveBuffer=[];#s;#e=!1;#t=!1;#i=[];#n={};#r=new Map;#c=0;#o=[];#h=[];#a;#d;constructor(t,e,s={}){
super(),this.io=t,this.nsp=e,this.auth=s.auth,this.#s=s}get disconnected(){return!this.connected}get active(){return this.#e}get volatile(){
return this.#n.volatile=!0,this}compress(){return this}timeout(t){return this.#n.timeout=t,this}connect(){return this.connected||
this.#t?this:(this.#e=!0,this.io._connect(this),this)}open(){return this.connect()}disconnect(){return this.connected&&this.#p(
{type:c.DISCONNECT}),this.#w("io client disconnect"),this}close(){return this.disconnect()}send(...t){return this.emit("\
message",...t)}emit(t,...e){if(R.has(t))throw new Error(`"${t}" is a reserved event name`);let s=this.#n;this.#n={};let i=typeof e.
at(-1)=="function"?e.pop():void 0,n=[t,...e];return this.#s.retries&&!s.volatile?(this.#i.push({data:n,ack:i,flags:s,tries:0,
pending:!1}),this.#g()):this.#A(n,i,s),this}emitWithAck(t,...e){return new Promise((s,i)=>{let n=(o,h)=>o?i(o):s(h);n.fails=
!0,this.emit(t,...e,n)})}onAny(t){return this.#o=[...this.#o,t],this}offAny(t){return this.#o=t?k(this.#o,t):[],this}prependAny(t){
return this.#o=[t,...this.#o],this}listenersAny(){return this.#o}onAnyOutgoing(t){return this.#h=[...this.#h,t],this}offAnyOutgoing(t){
return this.#h=t?k(this.#h,t):[],this}prependAnyOutgoing(t){return this.#h=[t,...this.#h],this}listenersAnyOutgoing(){return this.#h}_opened(){
this.#t=!0;let{engine:t}=this.io,e=s=>{t===this.io.engine&&this.#p({type:c.CONNECT,data:this.#a?{pid:this.#a,offset:this.#d,
...s}:s})};typeof this.auth=="function"?this.auth(e):e(this.auth)}_failed(t){this.connected||this._fire("connect_error",
t)}_closed(t,e){this.#t=!1,this.receiveBuffer=[],this.connected&&(this.connected=!1,this.id=void 0,this._fire("disconnec\
t",t,e),this.#k())}_receive({type:t,id:e,data:s}){switch(t){case c.CONNECT:return this.#l(s);case c.DISCONNECT:return this.#w(
"io server disconnect");case c.EVENT:e!==void 0&&s.push(this.#u(e)),this.connected?this.#b(s):this.receiveBuffer.push(s);
return;case c.ACK:return this.#f(e,s);case c.CONNECT_ERROR:return this.#m(s)}}#l({sid:t,pid:e}={}){if(!t)return this.#m(
"the server speaks an older protocol (Socket.IO 2)");this.#t=!1,this.id=t,this.recovered=e!==void 0&&e===this.#a,this.#a=
e,this.connected=!0;for(let s of this.receiveBuffer.splice(0))this.#b(s);for(let s of this.sendBuffer.splice(0))this.#E(
s);this.#g(),this._fire("connect")}#m(t){let{message:e,data:s}=typeof t=="string"?{message:t}:t;this.#w(),this._fire("co\
nnect_error",Object.assign(new Error(e),{data:s}))}#w(t){this.#e=!1,this._closed(t),this.io._left()}#b(t){u(this.#o,this,
t),this._fire(...t),this.#a&&typeof t.at(-1)=="string"&&(this.#d=t.at(-1))}#p(t){this.io._write({nsp:this.nsp,...t})}#E(t){
u(this.#h,this,t.data),this.#p(t)}#A(t,e,{volatile:s,timeout:i=this.#s.ackTimeout}){let n={type:c.EVENT,data:t,...e&&{id:this.#y(
e,i)}},{engine:o}=this.io;s&&!(this.connected&&o.writable)||(this.connected&&!o._stale()?this.#E(n):this.sendBuffer.push(
n))}#g(){let t=this.#i[0];if(!t||!this.connected||t.pending)return;t.pending=!0,t.tries++;let e=(s,...i)=>{t.pending=!1,
(!s||t.tries>this.#s.retries)&&(this.#i.shift(),t.ack&&u([t.ack],this,s?[s]:[null,...i])),this.#g()};e.fails=!0,this.#A(
t.data,e,t.flags)}#u(t){let{engine:e}=this.io;return(...s)=>{e===this.io.engine&&this.connected&&this.#p({type:c.ACK,id:t,
data:s}),e=void 0}}#y(t,e){let s=this.#c++,i={done:t,fails:t.fails};return e!==void 0&&(i.fails=!0,i.timer=setTimeout(()=>this.#_(
s,t),e)),this.#r.set(s,i),s}#_(t,e){this.#r.delete(t),this.sendBuffer=this.sendBuffer.filter(s=>s.id!==t),u([e],this,[new Error(
"operation has timed out")])}#f(t,e){let s=this.#r.get(t);s&&(this.#r.delete(t),clearTimeout(s.timer),u([s.done],this,s.
fails?[null,...e]:e))}#k(){let t=new Set(this.sendBuffer.map(e=>e.id));for(let[e,{done:s,fails:i,timer:n}]of this.#r)t.has(
e)||(this.#r.delete(e),clearTimeout(n),i&&u([s],this,[new Error("socket has been disconnected")]))}};var $={path:"/socket.io/",autoConnect:!0,timeout:2e4,reconnection:!0,reconnectionAttempts:1/0,reconnectionDelay:1e3,reconnectionDelayMax:5e3,
randomizationFactor:.5},d=class extends f{engine;#s;#e="closed";#t=new Map;#i;#n;#r=0;#c=!1;#o=!1;#h=[];#a;constructor(t,e){
super(),e===void 0&&typeof t=="object"&&!(t instanceof URL)&&([t,e]=[void 0,t]);let s=Object.entries(e??{}).filter(([,o])=>o!=
null);this.opts={...$,...Object.fromEntries(s)};let i=this.opts.addTrailingSlash===!1?"":"/";this.#s=new URL(this.opts.path.
replace(/\/*$/,i),t??globalThis.location?.origin);let n=this.opts.parser??{Encoder:T,Decoder:S};this.#i=new n.Encoder,this.#n=
new n.Decoder,this.#n.on("decoded",o=>this.#A(o)),this.opts.autoConnect&&this.open()}socket(t,e){let s=this.#t.get(t);return s||
(s=new w(this,t,e??this.opts),this.#t.set(t,s)),this.opts.autoConnect&&s.connect(),s}has(t){return this.#t.has(t)}open(t){
if(this.#e!=="closed")return this;this.#e="opening",this.#o=!1;let e=this.engine=new B(this.#s,this.opts),s=i=>{clearTimeout(
this.#a),this.#m(),i?this.#b(i,t):this.#w(t)};return this.#l("open",()=>s()),this.#l("close",(i,n)=>s(n instanceof Error?
n:new Error(n?.description??i))),this.opts.timeout!==!1&&(this.#a=setTimeout(()=>{this.#m(),e.close(),s(new Error("timeo\
ut"))},this.opts.timeout)),this}connect(t){return this.open(t)}disconnect(){this.#o=!0,this.#c=!1,this.#u("forced close")}_connect(t){
this.#c||this.open(),this.#e==="open"&&t._opened()}_left(){this.#d.length||this.disconnect()}_write(t){this.engine.write(
this.#i.encode(t))}get#d(){return[...this.#t.values()].filter(t=>t.active)}#l(t,e){this.engine.on(t,e),this.#h.push([t,e])}#m(){
for(let[t,e]of this.#h.splice(0))this.engine.off(t,e)}#w(t){this.#e="open",this.#l("message",e=>this.#E(e)),this.#l("pin\
g",()=>this._fire("ping")),this.#l("error",e=>this.#p(e)),this.#l("close",(e,s)=>this.#g(e,s));for(let e of this.#d)e._opened();
this._fire("open"),t?.()}#b(t,e){this.#e="closed",this.#p(t),e?e(t):this.#y()}#p(t){for(let e of this.#d)e._failed(t);this.
_fire("error",t)}#E(t){try{this.#n.add(t)}catch(e){this.#g("parse error",e)}}#A(t){let e=this.#t.get(t.nsp);e?.active&&e.
_receive(t),this._fire("packet",t)}#g(t,e){this.#u(t,e),this.#y()}#u(t,e){if(clearTimeout(this.#a),this.#r=0,this.#n.destroy(),
this.#e!=="closed"){this.#e="closed",this.#m(),this.engine.close();for(let s of this.#t.values())s._closed(t,e);this._fire(
"close",t,e)}}#y(){if(!(!this.opts.reconnection||this.#o||this.#c||this.#e!=="closed")){if(this.#r>=(this.opts.reconnectionAttempts||
1/0)){this.#r=0,this._fire("reconnect_failed");return}this.#c=!0,this.#a=setTimeout(()=>this.#f(),this.#_())}}#_(){let{reconnectionDelay:t,
reconnectionDelayMax:e,randomizationFactor:s}=this.opts,i=1+s*(2*Math.random()-1);return Math.min((t||1e3)*2**this.#r++*
i,e||5e3)}#f(){this._fire("reconnect_attempt",this.#r),this.#c&&this.open(t=>{if(this.#c=!1,t){this.#y(),this._fire("rec\
onnect_error",t);return}let e=this.#r;this.#r=0,this._fire("reconnect",e)})}};for(let r of Object.keys($).slice(2))d.prototype[r]=
function(t){return t===void 0?this.opts[r]:(this.opts[r]=t,this)};var G=new Map;function D(r,t={}){typeof r=="object"&&([r,t]=[void 0,r??t]);let{url:e,namespace:s}=nt(r??"/");e.search&&(t=
{query:Object.fromEntries(e.searchParams),...t});let i=`${e.origin}${t.path??""}`,n=G.get(i);if(t.forceNew||t.multiplex===
!1||n?.has(s))return new d(e.origin,t).socket(s,t);let o=n??new d(e.origin,t);return G.set(i,o),o.socket(s,t)}function nt(r){
let{protocol:t="https:",origin:e=""}=globalThis.location??{},s=r.replace(/^ws(?=s?:\/\/)/,"http");s.startsWith("//")?s=t+
s:s.startsWith("/")?s=e+s:/^https?:/.test(s)||(s=`${t}//${s}`);let[,i]=/^\w+:\/\/[^/?#]*([^?#]*)/.exec(s);return{url:new URL(
s),namespace:i||"/"}}var ot=5;Object.assign(D,{io:D,connect:D,Manager:d,Socket:w,protocol:ot});export{f as Emitter,d as Manager,w as Socket,D as connect,D as default,D as io,ot as protocol};
